import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  encodeOnnx,
  type Graph,
  type GraphNode,
  type Tensor,
} from '../../infra/models/language-detection/onnx-file.ts';
import { type ModelOnDisk, modelFolder, modelOnDisk } from './real-model.ts';

export interface GeneratedModelOptions {
  /** Published as this; default `generated`. */
  readonly id?: string;
  /** MB (2^20 bytes) of weights. Protobuf ends at 2047, the engine's heap at about 1900. */
  readonly weightsMb?: number;
  /** How often one inference goes through all the weights; default 1. Many make the session's creation long as well. */
  readonly passes?: number;
}

const LABELS = ['en', 'es', 'fr', 'de'];
/** Rows and columns of one weight: 4 MB. */
const WIDTH = 1024;
const MB_PER_WEIGHT = (WIDTH * WIDTH * 4) / 2 ** 20;

/**
 * Writes a model of the task `language-detection` into a folder: the real tokenizer, and a graph whose float32 weights all
 * take part in the answer, so that no optimiser drops one. The weights are the same at every time and incompressible; the
 * answers mean nothing. It loads, warms up and answers like any other model.
 */
export async function generateModel(folder: string, options: GeneratedModelOptions = {}): Promise<ModelOnDisk> {
  const { id = 'generated', weightsMb = 200, passes = 1 } = options;
  await mkdir(folder, { recursive: true });
  const description = {
    id,
    version: '1.0.0',
    task: 'language-detection',
    licence: 'MIT',
    source: 'generated',
    languages: LABELS,
    memory: memoryOf(weightsMb),
    roles: { 'model.onnx': 'classifier', 'features.bin': 'tokenizer', 'labels.json': 'labels' },
  };
  await Promise.all([
    writeFile(join(folder, 'model.onnx'), encodeOnnx(graph(Math.ceil(weightsMb / MB_PER_WEIGHT), passes))),
    copyFile(join(modelFolder['language-detection'], 'features.bin'), join(folder, 'features.bin')),
    writeFile(join(folder, 'labels.json'), JSON.stringify(LABELS)),
    writeFile(join(folder, 'casalingua.json'), JSON.stringify(description)),
  ]);
  return modelOnDisk(folder);
}

/** As measured with 40, 200 and 400 MB: the file, the engine's copy and its packed form; the engine itself at first. */
function memoryOf(weightsMb: number) {
  const residentMb = Math.round(60 + 2.3 * weightsMb);
  return { peakMb: residentMb + 80, residentMb };
}

/** features (int32 [n]) -> one number -> a row of `WIDTH` -> through every weight -> log probabilities of the labels. */
function graph(weights: number, passes: number): Graph {
  const names = Array.from({ length: weights }, (_, index) => `weight_${index}`);
  const nodes: GraphNode[] = [
    { operator: 'Cast', inputs: ['features'], output: 'numbers', attributes: { to: 1 } },
    { operator: 'ReduceMean', inputs: ['numbers'], output: 'mean', attributes: { axes: [0], keepdims: 1 } },
    { operator: 'Reshape', inputs: ['mean', 'one_by_one'], output: 'scalar' },
    { operator: 'MatMul', inputs: ['scalar', 'spread'], output: 'row_wide' },
    { operator: 'Tanh', inputs: ['row_wide'], output: 'row_0' },
  ];
  let row = 'row_0';
  for (let pass = 0; pass < passes; pass++) {
    for (const [index, weight] of names.entries()) {
      const place = pass * weights + index + 1;
      nodes.push(
        { operator: 'MatMul', inputs: [row, weight], output: `product_${place}` },
        { operator: 'Tanh', inputs: [`product_${place}`], output: `row_${place}` },
      );
      row = `row_${place}`;
    }
  }
  nodes.push(
    { operator: 'MatMul', inputs: [row, 'classes'], output: 'scores' },
    { operator: 'LogSoftmax', inputs: ['scores'], output: 'log_probabilities' },
  );
  return {
    name: 'generated',
    inputs: [{ name: 'features', type: 'int32', dims: ['features'] }],
    outputs: [{ name: 'log_probabilities', type: 'float32', dims: [1, LABELS.length] }],
    nodes,
    constants: [
      { name: 'one_by_one', dims: [2], data: BigInt64Array.of(1n, 1n) },
      weight('spread', 1, WIDTH, 1),
      weight('classes', WIDTH, LABELS.length, 2),
      ...names.map((name, index) => weight(name, WIDTH, WIDTH, index + 3)),
    ],
  };
}

/** Between -1/16 and 1/16, by a xorshift of 32 bits: rows stay far from 0 and from saturation. */
function weight(name: string, rows: number, columns: number, seed: number): Tensor {
  const data = new Float32Array(rows * columns);
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  for (let index = 0; index < data.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[index] = state / 2 ** 35;
  }
  return { name, dims: [rows, columns], data };
}
