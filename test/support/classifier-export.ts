import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeOnnx, type Graph } from '../../infra/models/onnx/encode-onnx.ts';
import { exportedFolder } from './real-model.ts';

export const VOCABULARY = 6001;
/** Columns of the embedding. */
const WIDTH = 16;

/** One row of the embedding, one column of the projection: any numbers, the same each time. */
const embedding = (token: number, at: number) => Math.sin(token * 31 + at * 7);
const projection = (at: number, label: number) => Math.cos(at * 13 + label * 5);

export interface ClassifierExport {
  readonly labels?: readonly string[];
  readonly inputs?: readonly string[];
  readonly config?: Record<string, unknown>;
  /** Columns of the embedding: each is 24 KB of weights. */
  readonly width?: number;
}

/**
 * Writes a sequence classifier as exporters do: a tiny graph (mean of embeddings, projection, times the mean of the mask) with the
 * tokenizer of a real model.
 */
export async function writeClassifier(
  folder: string,
  {
    labels = ['eng_Latn', 'Spanish', 'de'],
    inputs = ['input_ids', 'attention_mask'],
    config = {},
    width = WIDTH,
  }: ClassifierExport = {},
): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const id2label = Object.fromEntries(labels.map((label, index) => [index, label]));
  const architectures = ['XLMRobertaForSequenceClassification'];
  const whole = {
    architectures,
    model_type: 'xlm-roberta',
    id2label,
    max_position_embeddings: 12,
    pad_token_id: 1,
    ...config,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(whole));
  await writeFile(join(folder, 'README.md'), '---\nlicense: mit\nlanguage:\n- en\n---\n# A model\n');
  await writeFile(join(folder, 'onnx', 'model.onnx'), encodeOnnx(graph(labels.length, inputs, width)));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    await copyFile(join(exportedFolder, name), join(folder, name));
}

/** What that graph gives for these tokens: the probability of each label. */
export function expectedProbabilities(tokens: readonly number[], labels: number): number[] {
  const mean = (at: number) => tokens.reduce((sum, token) => sum + embedding(token, at), 0) / tokens.length;
  const logits = Array.from({ length: labels }, (_, label) =>
    Array.from({ length: WIDTH }, (_, at) => mean(at) * projection(at, label)).reduce((sum, value) => sum + value, 0),
  );
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  return logits.map((logit) => Math.exp(logit) / sum);
}

function graph(labels: number, inputs: readonly string[], width: number): Graph {
  const floats = (rows: number, columns: number, value: (row: number, column: number) => number) =>
    Float32Array.from({ length: rows * columns }, (_, index) => value(Math.floor(index / columns), index % columns));
  return {
    name: 'classifier',
    inputs: inputs.map((name) => ({ name, type: 'int64', dims: ['batch', 'length'] })),
    outputs: [{ name: 'logits', type: 'float32', dims: ['batch', labels] }],
    nodes: [
      { operator: 'Gather', inputs: ['embedding', 'input_ids'], output: 'embedded' },
      { operator: 'ReduceMean', inputs: ['embedded'], output: 'mean', attributes: { axes: [1], keepdims: 0 } },
      { operator: 'MatMul', inputs: ['mean', 'projection'], output: 'scores' },
      { operator: 'Cast', inputs: [inputs[1] ?? 'input_ids'], output: 'mask', attributes: { to: 1 } },
      { operator: 'ReduceMean', inputs: ['mask'], output: 'share', attributes: { axes: [1], keepdims: 1 } },
      { operator: 'Mul', inputs: ['scores', 'share'], output: 'logits' },
    ],
    constants: [
      { name: 'embedding', dims: [VOCABULARY, width], data: floats(VOCABULARY, width, embedding) },
      { name: 'projection', dims: [width, labels], data: floats(width, labels, projection) },
    ],
  };
}
