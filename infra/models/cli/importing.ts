import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type Command, CommanderError, Option } from 'commander';
import { DESCRIPTION } from '../../../shared/repository/description.ts';
import type { Precision } from '../../../shared/repository/hugging-face-layout.ts';
import type { PromptStyle } from '../../../shared/repository/manifest.ts';
import { promptStyleSchema } from '../../../shared/repository/manifest-schema.ts';
import { print } from '../../operator-command.ts';
import { fetchVersion } from '../fetch-version.ts';
import { type ImportedModel, importModel } from '../import/import-model.ts';
import {
  inWords,
  type ModelProfile,
  measureMemory,
  type ProfileOptions,
  profileFolder,
} from '../profile/profile-model.ts';
import { createProgressBar } from '../progress-bar.ts';
import { countOf, durationOf, listOf, openRepository, pairsOf, type StoreOptions, withJson } from './options.ts';
import { type ActivateOptions, publishedInWords, publishFolder } from './publishing.ts';

interface ImportCommandOptions extends ActivateOptions {
  readonly out?: string;
  readonly id?: string;
  readonly version?: string;
  readonly licence?: string;
  readonly source?: string;
  readonly pairs?: { source: string; target: string }[];
  readonly languages?: string[];
  readonly labels?: string;
  readonly prompt?: PromptStyle;
  readonly fallback?: string;
  readonly precision?: Precision;
  readonly optimise: boolean;
  readonly measure: boolean;
  readonly publish?: boolean;
  readonly bucket?: string;
  readonly table?: string;
  readonly json?: boolean;
}

interface ProfileCommandOptions extends Partial<StoreOptions> {
  readonly rounds: number;
  readonly measure: number;
  readonly maxMemory?: number;
}

/** What makes a folder that can be published: `import` and `profile`. */
export function addImporting(program: Command): void {
  withJson(program.command('import'))
    .description('check a model in the Hugging Face ONNX layout and write it as a folder that can be published')
    .argument('<folder>', 'an export: graphs, config.json, tokenizer.json')
    .option('--out <folder>', "where to write; default: the export's name with -imported, here")
    .option('--id <id>', 'default: the name of the model')
    .option('--version <version>', 'default: 1.0.0')
    .option('--licence <name>', "default: as the model's card (README.md) has it")
    .option('--source <words>', 'where the weights come from')
    .option('--pairs <directions>', 'of a translation, e.g. en-fr,fr-en', pairsOf)
    .option('--languages <codes>', 'of a translation: every direction between them, e.g. en,fr,de', listOf)
    .option('--labels <file>', 'of a classifier: a JSON array of language codes, one for each output')
    .addOption(new Option('--prompt <family>', 'where config.json does not tell').choices(promptStyleSchema.options))
    .option('--fallback <id>', "the model that serves while this one's circuit breaker is open")
    .addOption(new Option('--precision <name>', 'where an export has several').choices(['int8', 'float32']))
    .option('--no-optimise', 'leave rewriting the graphs to every load')
    .option('--no-measure', 'estimate what memory it needs, instead of loading it')
    .option('--publish', 'publish it')
    .option('--activate', 'publish it, and make it the active version')
    .addOption(new Option('--bucket <name>', 'S3 bucket').env('CASALINGUA_MODEL_BUCKET'))
    .addOption(new Option('--table <name>', 'DynamoDB table').env('CASALINGUA_TABLE'))
    .action(runImport);

  withJson(program.command('profile'))
    .description('load a model as production does, measure memory and speed of several ways, and keep the best')
    .argument('<folder or id>', 'a folder, whose description is completed; or a published model, which stays as it is')
    .argument('[version]')
    .option('--rounds <number>', 'processes for each way', countOf, 3)
    .option('--measure <duration>', 'how long each batch size runs', durationOf, 2_000)
    .option('--max-memory <MB>', 'that a load may need', countOf)
    .addOption(new Option('--bucket <name>', 'S3 bucket').env('CASALINGUA_MODEL_BUCKET'))
    .addOption(new Option('--table <name>', 'DynamoDB table').env('CASALINGUA_TABLE'))
    .action(runProfile);
}

async function runImport(folder: string, options: ImportCommandOptions): Promise<void> {
  const out = options.out ?? `${basename(resolve(folder))}-imported`;
  const publishing = options.publish === true || options.activate === true;
  const stores = publishing ? storesOf(options) : undefined;
  const bar = createProgressBar();
  const imported = await importModel(folder, out, options, bar.update).finally(bar.stop);
  if (options.measure) await writeMemory(out);
  const published = stores === undefined ? undefined : await publishFolder(out, { ...stores, ...options });
  const text = [importedInWords(imported), ...(published === undefined ? [] : [publishedInWords(published)])];
  const { id, version, task } = imported.description;
  print(
    options,
    {
      id,
      version,
      task,
      folder: out,
      graphs: imported.graphs,
      weightBytes: imported.weightBytes,
      sharedBytes: imported.sharedBytes,
      published: published !== undefined,
      active: published?.isActive ?? false,
    },
    text.join('\n'),
  );
}

/** @throws CommanderError when the environment does not tell where to publish */
function storesOf({ bucket, table }: { readonly bucket?: string; readonly table?: string }): StoreOptions {
  if (bucket !== undefined && table !== undefined) return { bucket, table };
  const missing = bucket === undefined ? '--bucket or CASALINGUA_MODEL_BUCKET' : '--table or CASALINGUA_TABLE';
  console.error(`error: it takes ${missing}`);
  throw new CommanderError(2, 'casalingua.noStore', missing);
}

async function writeMemory(folder: string): Promise<void> {
  const path = join(folder, DESCRIPTION);
  const described: object = JSON.parse(await readFile(path, 'utf8'));
  const memory = await measureMemory(folder);
  await writeFile(path, `${JSON.stringify({ ...described, memory }, null, 2)}\n`);
}

function importedInWords({ folder, description, graphs, weightBytes, sharedBytes }: ImportedModel): string {
  const inMb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  const shared = sharedBytes === 0 ? '' : `, ${inMb(sharedBytes)} less by what graphs have in common`;
  const listed = graphs.map(({ path, operatorSet }) => `${path} (operator set ${operatorSet})`).join(', ');
  return `${description.id}@${description.version}, ${description.task}, is in ${folder}: ${listed}; weights ${inMb(weightBytes)}${shared}`;
}

async function runProfile(
  folderOrId: string,
  version: string | undefined,
  options: ProfileCommandOptions,
): Promise<void> {
  const bar = createProgressBar('trials');
  const profiling: ProfileOptions = {
    rounds: options.rounds,
    measureMs: options.measure,
    ...(options.maxMemory === undefined ? {} : { maxPeakMb: options.maxMemory }),
    onTrial: (bytesDone, bytesTotal, file) => bar.update({ file, bytesDone, bytesTotal }),
  };
  const isFolder = version === undefined && existsSync(join(folderOrId, DESCRIPTION));
  const profile = await (isFolder
    ? profileFolder(folderOrId, profiling)
    : profilePublished(folderOrId, version, options, profiling)
  ).finally(bar.stop);
  const kept = isFolder ? `the best is in ${join(folderOrId, DESCRIPTION)}` : 'a published version stays as it is';
  print(options, profile, `${profileInWords(profile)}\n${kept}`);
}

async function profilePublished(
  id: string,
  version: string | undefined,
  options: ProfileCommandOptions,
  profiling: ProfileOptions,
): Promise<ModelProfile> {
  if (version === undefined) {
    console.error(`error: ${id} is no folder with ${DESCRIPTION}; of a published model the version has to be told`);
    throw new CommanderError(2, 'casalingua.noVersion', 'version');
  }
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-fetched-'));
  try {
    await fetchVersion(openRepository(storesOf(options)).store, { id, version }, folder);
    return await profileFolder(folder, profiling);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function profileInWords({ chosen, variants, cpu, node, engine }: ModelProfile): string {
  const lines = variants.map((variant) => {
    const { memory, load, speed } = variant;
    const rates = `${speed.batch1} and ${speed.batch32} ${speed.unit} a second`;
    return `${inWords(variant)}: READY in ${load.readyMs} ms, ${memory.peakMb} and ${memory.residentMb} MB, ${rates}`;
  });
  return [
    `${cpu}, Node ${node}, ${engine}; one text at a time and 32 together:`,
    ...lines,
    `best: ${inWords(chosen)}`,
  ].join('\n');
}
