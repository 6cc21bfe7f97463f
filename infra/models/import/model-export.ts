import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { PublishInvalidError } from '../../../shared/repository/errors.ts';
import {
  type ModelConfigs,
  type Precision,
  promptStyleOf,
  rolesByLayout,
} from '../../../shared/repository/hugging-face-layout.ts';
import type { FileRole, Manifest } from '../../../shared/repository/manifest.ts';
import { filesBelow, readConfigs } from '../../../shared/repository/publisher.ts';
import { type GraphToWrite, locationsOf } from '../layout/write-graphs.ts';
import { type GraphFacts, graphFacts } from '../onnx/graph-facts.ts';
import { readGraphFile } from '../onnx/graph-file.ts';
import { type ModelCard, readModelCard } from './model-card.ts';

/** A graph of an export, with its structure read and its weights where they lie. */
export interface ExportedGraph extends GraphToWrite {
  readonly role: FileRole;
  readonly facts: GraphFacts;
}

/** What somebody exported, in the Hugging Face ONNX layout. */
export interface ModelExport {
  readonly folder: string;
  /** Of all files, relative. */
  readonly paths: readonly string[];
  /** Of those that are taken. */
  readonly roles: ReadonlyMap<string, FileRole>;
  /** Encoder and decoder, or the classifier: in the order in which loads create their sessions. */
  readonly graphs: readonly ExportedGraph[];
  readonly configs: ModelConfigs;
  readonly card: ModelCard;
  /** Undefined where nothing tells. */
  readonly task: Manifest['task'] | undefined;
}

const GRAPH_ROLES: readonly FileRole[] = ['encoder', 'decoder', 'classifier'];

/** @throws PublishInvalidError when there is no such folder or a graph of it is no ONNX file */
export async function readExport(folder: string, precisions?: readonly Precision[]): Promise<ModelExport> {
  const paths = await filesBelow(folder).catch((cause) => {
    throw new PublishInvalidError(`${folder} is no folder that can be read`, { cause });
  });
  const roles = rolesByLayout(paths, precisions);
  const configs = await readConfigs(folder, paths);
  const graphs = [...roles]
    .filter(([, role]) => GRAPH_ROLES.includes(role))
    .sort(([, a], [, b]) => GRAPH_ROLES.indexOf(a) - GRAPH_ROLES.indexOf(b))
    .map(([path, role]) => readGraph(resolve(folder), path, role));
  const card = paths.includes('README.md')
    ? readModelCard(await readFile(join(folder, 'README.md'), 'utf8'))
    : undefined;
  return { folder, paths, roles, graphs, configs, card: card ?? { languages: [] }, task: taskOf(configs, roles) };
}

function readGraph(root: string, path: string, role: FileRole): ExportedGraph {
  const model = readGraphFile(join(root, path));
  return { path, role, model, folder: dirname(join(root, path)), name: basename(path), facts: graphFacts(model) };
}

/** What is wrong with the places of a graph's weights. */
export function missingWeights(graph: ExportedGraph): string[] {
  return locationsOf(graph).flatMap((location) => {
    const isOutside = location === '' || location.startsWith('/') || location.split('/').includes('..');
    if (isOutside) return [`${graph.path} keeps weights outside of its folder`];
    return existsSync(join(graph.folder, location))
      ? []
      : [`${graph.path} keeps weights in ${location}, which is missing`];
  });
}

function taskOf(configs: ModelConfigs, roles: ReadonlyMap<string, FileRole>): Manifest['task'] | undefined {
  const architectures = configs.config?.architectures ?? [];
  if (architectures.some((name) => name.endsWith('ForSequenceClassification'))) return 'language-detection';
  if (promptStyleOf(configs) !== undefined) return 'translation';
  const found = [...roles.values()];
  if (found.includes('encoder') || found.includes('decoder')) return 'translation';
  return found.includes('classifier') && configs.config?.id2label ? 'language-detection' : undefined;
}
