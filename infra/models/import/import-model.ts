import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';

import { messageOf } from '../../../shared/errors.ts';
import { DESCRIPTION, type Description, descriptionSchema } from '../../../shared/repository/description.ts';
import { PublishInvalidError } from '../../../shared/repository/errors.ts';
import { modelIdSchema } from '../../../shared/repository/manifest-schema.ts';
import type { PublishProgress } from '../../../shared/repository/publisher.ts';
import { engineFiles } from '../engine-files.ts';
import { locationsOf, writeGraphs } from '../layout/write-graphs.ts';
import { graphFacts } from '../onnx/graph-facts.ts';
import { readGraphFile } from '../onnx/graph-file.ts';
import { optimiseGraph } from '../onnx/optimise-graph.ts';
import { type ClassifierImport, checkClassifier } from './classifier-import.ts';
import { estimatedMemory, heapProblems, weightsMb } from './heap-needs.ts';
import type { ImportOptions } from './import-options.ts';
import { type ExportedGraph, type ModelExport, missingWeights, readExport } from './model-export.ts';
import { readJson, readTokenizer } from './tokenizer-files.ts';
import { checkTranslation, type TranslationImport } from './translation-import.ts';

/** What became of an export. */
export interface ImportedModel {
  /** The folder that can be profiled and published. */
  readonly folder: string;
  readonly description: Description;
  readonly graphs: readonly { readonly path: string; readonly operatorSet: number; readonly weightsMb: number }[];
  /** Of the weights file. */
  readonly weightBytes: number;
  /** Bytes that graphs have in common and that are stored once. */
  readonly sharedBytes: number;
}

/** MB of weights up to which the engine's optimiser, which holds everything several times, is run. */
const OPTIMISED_MB = 256;
/** Exporters' files that say nothing here. */
const LEFT_OUT =
  /(^|\/)(quantize_config\.json|special_tokens_map\.json|.*\.spm|.*\.(bin|safetensors|msgpack|h5|ot|model))$/;

/**
 * Checks a model that somebody exported and writes it as a folder that can be published: weights in one file, in the order in
 * which the engine asks for them, and a description. The export stays as it is.
 * @param out the folder to write; what is there already is replaced when all is done
 * @throws PublishInvalidError naming everything that is missing or wrong
 */
export async function importModel(
  folder: string,
  out: string,
  options: ImportOptions = {},
  onProgress: (progress: PublishProgress) => void = () => undefined,
): Promise<ImportedModel> {
  checkTarget(folder, out);
  const model = await readExport(folder, options.precision === undefined ? undefined : [options.precision]);
  const { kind, common } = await checkExport(model, options);
  const work = await mkdtemp(join(tmpdir(), 'casalingua-import-'));
  const target = `${resolve(out)}.new`;
  try {
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    const isSmall = weightsMb(model.graphs) <= OPTIMISED_MB && model.graphs.every(hasWeightsInside);
    const isOptimised = isSmall && options.optimise !== false;
    const graphs = isOptimised ? await optimised(model.graphs, work) : model.graphs;
    const graphKind = isOptimised ? 'optimised' : 'exported';
    const laidOut = await writeGraphs(graphs, graphKind, target, onProgress);
    await copyOthers(model, target);
    if (kind.part.task === 'language-detection' && 'labels' in kind) {
      await writeFile(join(target, 'labels.json'), `${JSON.stringify(kind.labels)}\n`);
    }
    const description = descriptionSchema.parse({
      ...common,
      ...kind.part,
      graphs: graphKind,
      memory: estimatedMemory(graphs),
      loading: { order: 'recorded', recordedWith: engineFiles().version },
    });
    await writeFile(join(target, DESCRIPTION), `${JSON.stringify(description, null, 2)}\n`);
    await rm(out, { recursive: true, force: true });
    await rename(target, out);
    return {
      folder: out,
      description,
      graphs: graphs.map(({ path, facts }) => ({
        path,
        operatorSet: facts.operatorSet,
        weightsMb: Math.round(facts.weightBytes / 2 ** 20),
      })),
      weightBytes: laidOut.bytes,
      sharedBytes: laidOut.sharedBytes,
    };
  } finally {
    await rm(target, { recursive: true, force: true });
    await rm(work, { recursive: true, force: true });
  }
}

/** What is replaced must be an earlier import, and not what is imported. */
function checkTarget(folder: string, out: string): void {
  const isWithin = (inner: string, outer: string) => `${resolve(inner)}${sep}`.startsWith(`${resolve(outer)}${sep}`);
  if (isWithin(folder, out) || isWithin(out, folder))
    throw new PublishInvalidError(`${out} must lie apart from ${folder}`);
  if (existsSync(out) && readdirSync(out).length > 0 && !existsSync(join(out, DESCRIPTION))) {
    throw new PublishInvalidError(`${out} is there already, and no imported model`);
  }
}

/** Every check that needs no engine, all at once. */
async function checkExport(model: ModelExport, options: ImportOptions) {
  const problems: string[] = [];
  const tokenizer = await readTokenizer(model);
  const configJson = await readJson(model, 'config.json');
  if (configJson === undefined) problems.push('there is no config.json that can be read');
  problems.push(...tokenizer.problems);
  let kind: TranslationImport | ClassifierImport | undefined;
  switch (model.task) {
    case 'translation':
      kind = checkTranslation(model, tokenizer, configJson, options);
      break;
    case 'language-detection':
      kind = await checkClassifier(model, tokenizer, options);
      break;
    case undefined:
      problems.push(whyNoTask(model));
  }
  problems.push(...(kind?.problems ?? []), ...model.graphs.flatMap(missingWeights), ...heapProblems(model.graphs));
  const common = commonPart(model, options);
  if (common.licence === undefined) problems.push('nothing tells the licence: say --licence');
  if (!modelIdSchema.safeParse(common.id).success) problems.push(`${common.id} cannot be an id: say --id`);
  if (problems.length > 0 || kind === undefined) {
    throw new PublishInvalidError(`${model.folder} cannot be imported: ${problems.join('; ')}`);
  }
  return { kind, common };
}

function whyNoTask({ configs, paths }: ModelExport): string {
  const kind = configs.config?.architectures?.[0] ?? configs.config?.model_type;
  const graphs = paths.filter((path) => path.endsWith('.onnx'));
  if (graphs.length === 0) return 'there is no ONNX graph in it';
  if (kind === undefined) return 'nothing tells what kind of model it is';
  return `${kind} is neither a translation model (marian, m2m_100, mbart) nor a sequence classifier`;
}

function commonPart({ folder, configs, card }: ModelExport, options: ImportOptions) {
  const named = configs.config?._name_or_path ?? card.baseModel;
  const { id = idOf(named ?? basename(resolve(folder))), version = '1.0.0', fallback } = options;
  return {
    id,
    version,
    licence: options.licence ?? card.licence,
    source: options.source ?? named ?? basename(resolve(folder)),
    ...(fallback === undefined ? {} : { fallback }),
  };
}

/** `Helsinki-NLP/opus-mt-en-fr` is `opus-mt-en-fr`. */
function idOf(name: string): string {
  return basename(name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-');
}

function hasWeightsInside(graph: ExportedGraph): boolean {
  return locationsOf(graph).every((location) => location === graph.name);
}

/** The graphs as the engine rewrites them, in the work folder. */
async function optimised(graphs: readonly ExportedGraph[], work: string): Promise<ExportedGraph[]> {
  const results: ExportedGraph[] = [];
  for (const graph of graphs) {
    const bytes = await optimiseGraph(await readFile(join(graph.folder, graph.name))).catch((thrown: Error) => {
      const why = messageOf(thrown.cause ?? thrown);
      throw new PublishInvalidError(`the engine cannot load ${graph.path}: ${why}`, { cause: thrown });
    });
    await writeFile(join(work, graph.name), bytes);
    const model = readGraphFile(join(work, graph.name));
    results.push({ ...graph, model, folder: work, facts: graphFacts(model) });
  }
  return results;
}

async function copyOthers(model: ModelExport, target: string): Promise<void> {
  const graphs = new Set(model.graphs.map(({ path }) => path));
  for (const path of model.roles.keys()) {
    if (graphs.has(path) || LEFT_OUT.test(path)) continue;
    await mkdir(dirname(join(target, path)), { recursive: true });
    await copyFile(join(model.folder, path), join(target, path));
  }
}
