import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { buildLanguageDetection } from '../../../infra/models/language-detection/convert.ts';
import { recordAsks } from '../../../infra/models/layout/record-asks.ts';
import { Message } from '../../../infra/models/onnx/message.ts';
import { type Manifest, runtimeFiles } from '../../../shared/repository/manifest.ts';
import { objectKey } from '../../../shared/repository/manifest-store.ts';
import type { TaskInput } from '../../../shared/runtime/tasks.ts';
import { generateModel } from '../../support/generated-model.ts';
import { modelFolder, modelOnDisk } from '../../support/real-model.ts';
import { embedWeights } from '../embedded-model.ts';
import { folders } from '../folders.ts';
import type { PlainAsk } from './plain.ts';
import { ENGINE_ALONE } from './report.ts';

/** One layout of a model, for whoever is to load it. */
export interface ModelLayout {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** A model that the ways are measured with. */
export interface BenchModel {
  /** What its keys end in. */
  readonly key: string;
  /** As it is published for us. */
  readonly ours: ModelLayout;
  /** With the weights in the graphs. */
  readonly embedded: ModelLayout;
  readonly weightsBytes: number;
  /** Whether it is that large that the engine is small beside it. */
  readonly isLarge: boolean;
  readonly ask: TaskInput;
  readonly plainAsk: PlainAsk;
}

const SENTENCE = 'Good morning.';
const BYTES_PER_WEIGHT = 4 * 2 ** 20;

/** A generated model in both layouts, its weights in the order in which the engine asks for them. */
export async function generated(folder: string, sizeMb: number): Promise<BenchModel> {
  // Its tokenizer is borrowed from where the tests build it.
  const borrowed = modelFolder['language-detection'];
  if (!existsSync(borrowed)) await buildLanguageDetection(borrowed);
  const external = join(folder, 'external');
  const options = { id: `external-${sizeMb}`, weightsMb: sizeMb, layout: 'external' } as const;
  await generateModel(external, options);
  const order = await orderOf(external);
  await generateModel(external, { ...options, order });
  const embedded = join(folder, 'embedded');
  await generateModel(embedded, { id: `embedded-${sizeMb}`, weightsMb: sizeMb });
  const ours = await modelOnDisk(external);
  return {
    key: String(sizeMb),
    ours: { folder: external, manifest: ours.manifest },
    embedded: { folder: embedded, manifest: (await modelOnDisk(embedded)).manifest },
    weightsBytes: sizeMb * 2 ** 20,
    isLarge: true,
    ask: { task: 'language-detection', texts: [SENTENCE] },
    plainAsk: { features: [1, 2, 3] },
  };
}

/** A translation that the project publishes. @param folder for its other layout */
export async function translation(folder: string): Promise<BenchModel> {
  const [ours, inside] = [folders.publishedModel, join(folder, basename(folders.publishedModel))];
  await embedWeights(ours, inside);
  const json = async (name: string): Promise<object> => JSON.parse(await readFile(join(ours, name), 'utf8'));
  const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
  const { manifest } = await modelOnDisk(ours);
  return {
    key: manifest.id,
    ours: { folder: ours, manifest },
    embedded: { folder: inside, manifest: (await modelOnDisk(inside)).manifest },
    weightsBytes: bytesOf(manifest),
    isLarge: false,
    ask: { task: 'translation', texts: [SENTENCE], source: 'en', target: 'es', numBeams: 1 },
    plainAsk: { tokens: tokenizer.encode(SENTENCE).ids },
  };
}

/** The language detection that the project publishes, which is too small for two layouts. */
export async function detection(): Promise<BenchModel> {
  const folder = join(folders.models, ENGINE_ALONE);
  const { manifest } = await modelOnDisk(folder);
  const layout = { folder, manifest };
  return {
    key: manifest.id,
    ours: layout,
    embedded: layout,
    weightsBytes: bytesOf(manifest),
    isLarge: false,
    ask: { task: 'language-detection', texts: [SENTENCE] },
    plainAsk: { features: [1, 2, 3] },
  };
}

function bytesOf(manifest: Manifest): number {
  return runtimeFiles(manifest).reduce((sum, { size }) => sum + size, 0);
}

/** Paths of the graphs in the manifest, in the order in which they are loaded. */
export function graphsOf({ manifest }: ModelLayout): string[] {
  return (['encoder', 'decoder', 'classifier'] as const).flatMap((role) =>
    manifest.files.filter((file) => file.role === role).map(({ path }) => path),
  );
}

/** Path of the weights outside of the graphs, if any. */
export function weightsOf({ manifest }: ModelLayout): string | undefined {
  return manifest.files.find(({ role }) => role === 'weights')?.path;
}

export function keyOf({ manifest }: ModelLayout, path: string): string {
  return objectKey(manifest, path);
}

async function orderOf(folder: string): Promise<number[]> {
  const model = Message.decode(await readFile(join(folder, 'model.onnx')));
  const [asks = []] = await recordAsks([{ model, folder, name: 'model.onnx' }], 'exported', () => ['weights.bin']);
  return asks.map(({ offset }) => offset / BYTES_PER_WEIGHT);
}
