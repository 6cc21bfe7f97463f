import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLanguageDetection } from '../../../infra/models/language-detection/convert.ts';
import { recordAsks } from '../../../infra/models/layout/record-asks.ts';
import { Message } from '../../../infra/models/onnx/message.ts';
import { type Manifest, runtimeFiles } from '../../../shared/repository/manifest.ts';
import { objectKey } from '../../../shared/repository/manifest-store.ts';
import type { TaskInput } from '../../../shared/runtime/tasks.ts';
import { generateModel } from '../../support/generated-model.ts';
import { modelFolder, modelOnDisk } from '../../support/real-model.ts';
import { folders } from '../folders.ts';

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
  readonly ask: TaskInput;
  /** Feeds of the generated graphs. */
  readonly features: readonly number[] | undefined;
}

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
    ask: { task: 'language-detection', texts: ['Good morning.'] },
    features: [1, 2, 3],
  };
}

/** A model that the project publishes. */
export async function real(id: 'translate-en-es' | 'language-detection'): Promise<BenchModel> {
  const folder = join(folders.models, id);
  const { manifest } = await modelOnDisk(folder);
  const ask: TaskInput =
    id === 'language-detection'
      ? { task: 'language-detection', texts: ['Good morning.'] }
      : { task: 'translation', texts: ['Good morning.'], source: 'en', target: 'es', numBeams: 1 };
  const weightsBytes = runtimeFiles(manifest).reduce((sum, { size }) => sum + size, 0);
  const layout = { folder, manifest };
  return { key: id, ours: layout, embedded: layout, weightsBytes, ask, features: undefined };
}

/** Paths of the graphs in the manifest, in the order in which they are loaded. */
export function graphsOf({ manifest }: ModelLayout): string[] {
  return (['encoder', 'decoder', 'classifier'] as const).flatMap((role) =>
    manifest.files.filter((file) => file.role === role).map(({ path }) => path),
  );
}

export function keyOf({ manifest }: ModelLayout, path: string): string {
  return objectKey(manifest, path);
}

async function orderOf(folder: string): Promise<number[]> {
  const model = Message.decode(await readFile(join(folder, 'model.onnx')));
  const [asks = []] = await recordAsks([{ model, folder, name: 'model.onnx' }], 'exported', () => ['weights.bin']);
  return asks.map(({ offset }) => offset / BYTES_PER_WEIGHT);
}
