import { copyFile, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeOnnx, type Graph, type GraphNode, type Tensor } from '../../infra/models/onnx/encode-onnx.ts';
import { Message } from '../../infra/models/onnx/message.ts';
import { type ModelOnDisk, modelFolder, modelOnDisk } from './real-model.ts';

export interface GeneratedModelOptions {
  /** Published as this; default `generated`. */
  readonly id?: string;
  /** MB (2^20 bytes) of weights. Protobuf ends at 2047, the engine's heap at about 1900. */
  readonly weightsMb?: number;
  /** How often one inference goes through all the weights; default 1. Many make the session's creation long as well. */
  readonly passes?: number;
  /** Where the weights lie: in the graph, or in a file of their own (`weights.bin`); default in the graph. */
  readonly layout?: 'embedded' | 'external';
  /** Of the weights in their own file: which lies where, by their number from 0; default by number. */
  readonly order?: readonly number[];
}

const LABELS = ['en', 'es', 'fr', 'de'];
/** Rows and columns of one weight: 4 MB. */
const WIDTH = 1024;
const BYTES_PER_WEIGHT = WIDTH * WIDTH * 4;
const MB_PER_WEIGHT = BYTES_PER_WEIGHT / 2 ** 20;

const WEIGHTS_FILE = 'weights.bin';
// Field numbers of onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { dims: 1, elementType: 2, name: 8, externalData: 13, dataLocation: 14 } as const;
const FLOAT = 1;
const EXTERNAL = 1;

/**
 * Writes a model of the task `language-detection` into a folder: the real tokenizer, and a graph whose float32 weights all
 * take part in the answer, so that no optimiser drops one. The weights are the same at every time and incompressible; the
 * answers mean nothing. It loads, warms up and answers like any other model.
 */
export async function generateModel(folder: string, options: GeneratedModelOptions = {}): Promise<ModelOnDisk> {
  const { id = 'generated', weightsMb = 200, passes = 1, layout = 'embedded' } = options;
  const count = Math.ceil(weightsMb / MB_PER_WEIGHT);
  await mkdir(folder, { recursive: true });
  const description = {
    id,
    version: '1.0.0',
    task: 'language-detection',
    licence: 'MIT',
    source: 'generated',
    languages: LABELS,
    memory: memoryOf(weightsMb),
    roles: {
      'model.onnx': 'classifier',
      'features.bin': 'tokenizer',
      'labels.json': 'labels',
      ...(layout === 'external' ? { [WEIGHTS_FILE]: 'weights' } : {}),
    },
  };
  await Promise.all([
    layout === 'embedded'
      ? writeFile(join(folder, 'model.onnx'), encodeOnnx(graph(count, passes)))
      : writeExternal(folder, count, passes, options.order ?? Array.from({ length: count }, (_, index) => index)),
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

/** The same graph, with its large weights in the file beside it. */
async function writeExternal(folder: string, count: number, passes: number, order: readonly number[]): Promise<void> {
  const model = Message.decode(encodeOnnx(graph(count, passes, [])));
  const [inner = new Message()] = model.messages(MODEL_GRAPH);
  const entry = (key: string, value: string) => new Message().withText(1, key).withText(2, value).encode();
  // Listed by number wherever they lie: the engine's order hangs on that of the list.
  const external = Array.from({ length: count }, (_, number) =>
    new Message()
      .withInteger(TENSOR.dims, WIDTH)
      .withInteger(TENSOR.dims, WIDTH)
      .withInteger(TENSOR.elementType, FLOAT)
      .withText(TENSOR.name, nameOf(number))
      .withBytes(TENSOR.externalData, entry('location', WEIGHTS_FILE))
      .withBytes(TENSOR.externalData, entry('offset', String(order.indexOf(number) * BYTES_PER_WEIGHT)))
      .withBytes(TENSOR.externalData, entry('length', String(BYTES_PER_WEIGHT)))
      .withInteger(TENSOR.dataLocation, EXTERNAL),
  );
  const whole = inner.withMessages(GRAPH_INITIALIZER, [...inner.messages(GRAPH_INITIALIZER), ...external]);
  await writeFile(join(folder, 'model.onnx'), model.withMessages(MODEL_GRAPH, [whole]).encode());
  const file = await open(join(folder, WEIGHTS_FILE), 'w');
  try {
    for (const number of order) await file.write(new Uint8Array(largeWeight(number).data.buffer));
  } finally {
    await file.close();
  }
}

/** features (int32 [n]) -> one number -> a row of `WIDTH` -> through every weight -> log probabilities of the labels. */
function graph(weights: number, passes: number, embedded = Array.from({ length: weights }, (_, at) => at)): Graph {
  const names = Array.from({ length: weights }, (_, number) => nameOf(number));
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
      ...embedded.map((number) => largeWeight(number)),
    ],
  };
}

function nameOf(number: number): string {
  return `weight_${number}`;
}

function largeWeight(number: number) {
  return weight(nameOf(number), WIDTH, WIDTH, number + 3);
}

/** Between -1/16 and 1/16, by a xorshift of 32 bits: rows stay far from 0 and from saturation. */
function weight(
  name: string,
  rows: number,
  columns: number,
  seed: number,
): Tensor & { readonly data: Float32Array<ArrayBuffer> } {
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
