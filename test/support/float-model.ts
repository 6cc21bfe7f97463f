import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Message } from '../../infra/models/onnx/message.ts';
import { optimiseGraph } from '../../infra/models/onnx/optimise-graph.ts';
import { type ModelOnDisk, modelOnDisk } from './real-model.ts';

// Field numbers of onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH = { node: 1, initializer: 5 } as const;
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 } as const;
const ATTRIBUTE_GRAPH = 6;
const TENSOR = { dims: 1, elementType: 2, name: 8, rawData: 9 } as const;
const FLOAT = 1;

const GRAPHS = ['encoder_model_quantized.onnx', 'decoder_model_merged_quantized.onnx'];
const ONE = 'scale_of_one';

/**
 * A shipped translation with its weights in float32, in a folder: the same numbers, but nothing is quantised while it runs,
 * so that no sentence's arithmetic hangs on what else is in the batch.
 * @param id `translate-en-es` or `translate-es-en`
 */
export async function floatModel(id: string, folder: string): Promise<ModelOnDisk> {
  await cp(join(import.meta.dirname, '..', '..', 'infra', 'models', id), folder, { recursive: true });
  for (const graph of GRAPHS) {
    const path = join(folder, 'onnx', graph);
    await writeFile(path, await optimiseGraph(withoutQuantisation(await readFile(path))));
  }
  const path = join(folder, 'casalingua.json');
  const described: object = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...described, graphs: 'optimised' }));
  return modelOnDisk(folder);
}

function withoutQuantisation(file: Uint8Array): Uint8Array {
  const model = Message.decode(file);
  const [graph = new Message()] = model.messages(MODEL_GRAPH);
  const constants = new Map(graph.messages(GRAPH.initializer).map((tensor) => [tensor.text(TENSOR.name), tensor]));
  const floats = new Map([[ONE, floatTensor(ONE, [], Float32Array.of(1))]]);
  const rewritten = rewrite(graph, constants, floats);
  const kept = [...constants].filter(([name]) => !floats.has(`${name}_float`)).map(([, tensor]) => tensor);
  const whole = rewritten.withMessages(GRAPH.initializer, [...kept, ...floats.values()]);
  return model.withMessages(MODEL_GRAPH, [whole]).encode();
}

function rewrite(graph: Message, constants: ReadonlyMap<string, Message>, floats: Map<string, Message>): Message {
  const nodes = graph.messages(GRAPH.node).flatMap((node) => {
    const [input = '', weight = '', , zeroPoint = ''] = node.texts(NODE.input);
    const [output = '', scale = ''] = node.texts(NODE.output);
    switch (node.text(NODE.operator)) {
      case 'DynamicQuantizeLinear':
        return [makeNode('Identity', [input], output), makeNode('Identity', [ONE], scale)];
      case 'MatMulInteger':
        floats.set(`${weight}_float`, asFloat(constants.get(weight), constants.get(zeroPoint)));
        return [makeNode('MatMul', [input, `${weight}_float`], output)];
      default: {
        const attributes = node.messages(NODE.attribute).map((attribute) => {
          const branches = attribute.messages(ATTRIBUTE_GRAPH).map((branch) => rewrite(branch, constants, floats));
          return branches.length === 0 ? attribute : attribute.withMessages(ATTRIBUTE_GRAPH, branches);
        });
        return [attributes.length === 0 ? node : node.withMessages(NODE.attribute, attributes)];
      }
    }
  });
  return graph.withMessages(GRAPH.node, nodes);
}

/** Its scale is applied to the product, as the graph has it. */
function asFloat(weight: Message | undefined, zeroPoint: Message | undefined): Message {
  if (weight === undefined || zeroPoint?.all(TENSOR.rawData)[0]?.some((byte) => byte !== 0)) {
    throw new Error('a weight is missing or has a zero point');
  }
  const values = Float32Array.from(new Int8Array(weight.all(TENSOR.rawData)[0] ?? []));
  return floatTensor(`${weight.text(TENSOR.name)}_float`, weight.integers(TENSOR.dims), values);
}

function floatTensor(name: string, dims: readonly number[], values: Float32Array): Message {
  return dims
    .reduce((message, dim) => message.withInteger(TENSOR.dims, dim), new Message())
    .withInteger(TENSOR.elementType, FLOAT)
    .withText(TENSOR.name, name)
    .withBytes(TENSOR.rawData, new Uint8Array(values.buffer));
}

function makeNode(operator: string, inputs: readonly string[], output: string): Message {
  return inputs
    .reduce((node, input) => node.withText(NODE.input, input), new Message())
    .withText(NODE.output, output)
    .withText(NODE.operator, operator);
}
