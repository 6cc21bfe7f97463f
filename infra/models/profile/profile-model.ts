import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DESCRIPTION } from '../../../shared/repository/description.ts';
import type { Loading, Manifest } from '../../../shared/repository/manifest.ts';
import { describeFolder } from '../../../shared/repository/publisher.ts';
import { bundleModelWorker } from '../../bundle.ts';
import { engineFiles } from '../engine-files.ts';
import { type Compute, chooseVariant, type MeasuredVariant, medianOf, type Variant } from './choose-variant.ts';
import { makeFloatFolder } from './float-folder.ts';
import { runTrial, type TrialReply } from './trial.ts';

export interface ProfileOptions {
  /** Trials of each variant, each in a process of its own; default `ROUNDS`. */
  readonly rounds?: number;
  /** Ms in which one batch size is measured; default `MEASURE_MS`. */
  readonly measureMs?: number;
  /** MB that a load may need. */
  readonly maxPeakMb?: number;
  readonly onTrial?: (done: number, total: number, what: string) => void;
}

/** Everything that was measured, and what was found best. */
export interface ModelProfile {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly engine: string;
  readonly rounds: number;
  readonly chosen: Variant;
  readonly variants: readonly MeasuredVariant[];
}

const ROUNDS = 3;
const MEASURE_MS = 2_000;
/** MB of files up to which they are tried in float32, which is four times as much. */
const FLOAT_MB = 128;
const MB = 2 ** 20;
const MOST_THREADS = 4;
const TIER_FLAGS: Readonly<Record<Variant['tiers'], readonly string[]>> = {
  default: [],
  'baseline only': ['--liftoff-only'],
  'optimised only': ['--no-liftoff'],
};

/**
 * Loads a model as production does, in a fresh process each time, with one thing changed after the other: int8 or float32, then
 * weights prepacked or not and one thread or several, then V8's tiers. What is best is kept for the next step; what is compared is
 * tried in turn, so that a machine that slows down meanwhile does so for all.
 * @param work where variants of the folder are made; its owner deletes it
 * @throws PublishInvalidError, ChildFailedError with why the model cannot be loaded as it is
 */
async function measureVariants(
  folder: string,
  manifest: Manifest,
  work: string,
  { rounds = ROUNDS, measureMs = MEASURE_MS, maxPeakMb, onTrial = () => undefined }: ProfileOptions,
): Promise<{ chosen: MeasuredVariant; variants: readonly MeasuredVariant[]; folders: ReadonlyMap<Compute, string> }> {
  const engineFolder = join(work, 'engine');
  await bundleModelWorker(engineFolder);
  const folders = await computeFolders(folder, manifest, work);
  const manifests = new Map<Compute, Manifest>();
  for (const [compute, source] of folders) manifests.set(compute, await describeFolder(source));
  const severalThreads = Math.min(MOST_THREADS, availableParallelism());
  const total = rounds * (folders.size + (severalThreads > 1 ? 3 : 2) + 2);
  let done = 0;

  const tryOnce = (variant: Variant) => {
    onTrial(done++, total, inWords(variant));
    const { prepacking, threads, compute, tiers } = variant;
    const described = manifests.get(compute) as Manifest;
    const loading = { order: 'file', recordedWith: '', ...described.loading, prepacking, threads } as const;
    const source = folders.get(compute) as string;
    return runTrial(
      { manifest: { ...described, loading }, folder: source, engineFolder, measureMs },
      TIER_FLAGS[tiers],
    );
  };
  // By what a variant is called: one that is compared twice has the trials of both times.
  const trials = new Map<string, { readonly variant: Variant; readonly all: TrialReply[] }>();
  const measure = async (
    variants: readonly [Variant, ...Variant[]],
  ): Promise<[MeasuredVariant, ...MeasuredVariant[]]> => {
    for (const variant of variants) {
      if (!trials.has(inWords(variant))) trials.set(inWords(variant), { variant, all: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const variant of variants) trials.get(inWords(variant))?.all.push(await tryOnce(variant));
    }
    const [first, ...others] = variants.map((variant) => medianOf(variant, trials.get(inWords(variant))?.all ?? []));
    return [first as MeasuredVariant, ...others];
  };

  const first: Variant = { compute: 'as imported', prepacking: true, threads: 1, tiers: 'default' };
  const others = [...folders.keys()].filter((compute) => compute !== first.compute);
  const computes = await measure([first, ...others.map((compute) => ({ ...first, compute }))]);
  const best = variantOf(chooseVariant(computes, maxPeakMb));
  const threaded = severalThreads > 1 ? [{ ...best, threads: severalThreads }] : [];
  const settings = await measure([best, { ...best, prepacking: false }, ...threaded]);
  const chosen = chooseVariant(settings, maxPeakMb);
  const tiers = (['baseline only', 'optimised only'] as const).map((tier) => ({ ...variantOf(chosen), tiers: tier }));
  await measure(tiers as [Variant, ...Variant[]]);
  onTrial(total, total, 'done');
  return { chosen, variants: [...trials.values()].map(({ variant, all }) => medianOf(variant, all)), folders };
}

/**
 * Profiles a folder that can be published, and writes into its description what was measured and found best. If that is float32,
 * the folder's graphs become such.
 * @throws PublishInvalidError, ChildFailedError
 */
export async function profileFolder(folder: string, options: ProfileOptions = {}): Promise<ModelProfile> {
  const work = await mkdtemp(join(tmpdir(), 'casalingua-profile-'));
  try {
    const { profile, chosen, folders } = await profileIn(work, folder, await describeFolder(folder), options);
    const best = folders.get(chosen.compute) as string;
    const described = JSON.parse(await readFile(join(folder, DESCRIPTION), 'utf8')) as { loading?: Loading };
    const loading: Loading = {
      ...(described.loading ?? { order: 'file' }),
      ...(best === folder ? {} : { order: 'recorded' }),
      recordedWith: engineFiles().version,
      // What all deployments do anyway is left to them.
      ...(chosen.prepacking ? {} : { prepacking: false }),
      ...(chosen.threads === 1 ? {} : { threads: chosen.threads }),
    };
    const description = { ...described, memory: chosen.memory, loading, profile };
    if (best !== folder) await replaceFolder(best, folder);
    await writeFile(join(folder, DESCRIPTION), `${JSON.stringify(description, null, 2)}\n`);
    return profile;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** One load, to learn what memory the model needs. @throws PublishInvalidError, ChildFailedError */
export async function measureMemory(folder: string): Promise<TrialReply['memory']> {
  const work = await mkdtemp(join(tmpdir(), 'casalingua-measure-'));
  try {
    const engineFolder = join(work, 'engine');
    await bundleModelWorker(engineFolder);
    const manifest = await describeFolder(folder);
    return (await runTrial({ manifest, folder, engineFolder, measureMs: 0 })).memory;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function profileIn(work: string, folder: string, manifest: Manifest, options: ProfileOptions) {
  const { chosen, variants, folders } = await measureVariants(folder, manifest, work, options);
  const profile: ModelProfile = {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    engine: `onnxruntime-web ${engineFiles().version}`,
    rounds: options.rounds ?? ROUNDS,
    chosen: variantOf(chosen),
    variants,
  };
  return { profile, chosen, folders };
}

/** The folder itself, and beside it those whose graphs compute in float32, where the model has int8 products. */
async function computeFolders(folder: string, manifest: Manifest, work: string): Promise<Map<Compute, string>> {
  const folders = new Map<Compute, string>([['as imported', folder]]);
  const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
  if (manifest.graphs !== 'optimised' || bytes > FLOAT_MB * MB) return folders;
  for (const compute of ['float projection', 'float32'] as const) {
    const target = join(work, compute);
    if (await makeFloatFolder(folder, manifest, compute, target)) folders.set(compute, target);
  }
  return folders;
}

async function replaceFolder(source: string, target: string): Promise<void> {
  const fresh = `${resolve(target)}.new`;
  await rm(fresh, { recursive: true, force: true });
  await cp(source, fresh, { recursive: true });
  await cp(join(target, DESCRIPTION), join(fresh, DESCRIPTION));
  await rm(target, { recursive: true });
  await rename(fresh, target);
}

function variantOf({ compute, prepacking, threads, tiers }: Variant): Variant {
  return { compute, prepacking, threads, tiers };
}

export function inWords({ compute, prepacking, threads, tiers }: Variant): string {
  const packed = prepacking ? 'prepacked' : 'not prepacked';
  return `${compute}, ${packed}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, V8 ${tiers}`;
}
