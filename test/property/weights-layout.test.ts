import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layOutWeights } from '../../infra/models/layout/lay-out-weights.ts';
import { type DataPlace, dataPlaceOf, dataPlaces, rewriteTensors } from '../../infra/models/onnx/external-data.ts';
import { readGraphFile } from '../../infra/models/onnx/graph-file.ts';
import { Message } from '../../infra/models/onnx/message.ts';
import { ATTRIBUTE, GRAPH, MODEL, NODE, TENSOR } from '../../infra/models/onnx/onnx-fields.ts';
import { PublishInvalidError } from '../../shared/repository/errors.ts';

/** Bytes of one of a few contents, so that tensors have some in common. */
interface Weight {
  readonly size: number;
  readonly content: number;
  /** In a branch of the graph instead of the graph itself. */
  readonly isInBranch: boolean;
  /** In a node `Constant`, as some exporters have it. */
  readonly isNode: boolean;
}

const sizes = fc.oneof(fc.constantFrom(0, 1, 1023, 1024, 5000, 1_048_576), fc.nat(3000));
const weights = fc.array(
  fc.record({ size: sizes, content: fc.nat(2), isInBranch: fc.boolean(), isNode: fc.boolean() }),
  { maxLength: 8 },
);

const bytesOf = ({ size, content }: Weight) => Buffer.alloc(size, `weight ${content}`);

function tensorOf(weight: Weight, index: number): Message {
  return new Message()
    .withInteger(TENSOR.dims, weight.size)
    .withInteger(TENSOR.elementType, 2)
    .withText(TENSOR.name, `w${index}`)
    .withBytes(TENSOR.rawData, bytesOf(weight));
}

function constantOf(weight: Weight, index: number): Message {
  const attribute = new Message()
    .withText(ATTRIBUTE.name, 'value')
    .withMessage(ATTRIBUTE.tensor, tensorOf(weight, index).without(TENSOR.name));
  return new Message()
    .withText(NODE.output, `w${index}`)
    .withText(NODE.operator, 'Constant')
    .withMessage(NODE.attribute, attribute);
}

/** A graph with a node that has a branch; both have some of the weights. */
function modelOf(all: readonly Weight[]): Message {
  const tensors = (isInBranch: boolean) =>
    all.flatMap((weight, index) =>
      weight.isInBranch === isInBranch && !weight.isNode ? [tensorOf(weight, index)] : [],
    );
  const constants = (isInBranch: boolean) =>
    all.flatMap((weight, index) =>
      weight.isInBranch === isInBranch && weight.isNode ? [constantOf(weight, index)] : [],
    );
  const branch = new Message()
    .withMessages(GRAPH.node, constants(true))
    .withMessages(GRAPH.initializer, tensors(true))
    .withText(2, 'branch');
  const attribute = new Message().withText(ATTRIBUTE.name, 'then_branch').withMessage(ATTRIBUTE.graph, branch);
  const node = new Message().withText(NODE.operator, 'If').withMessage(NODE.attribute, attribute);
  const graph = new Message()
    .withMessages(GRAPH.node, [...constants(false), node])
    .withMessages(GRAPH.initializer, tensors(false));
  return new Message().withInteger(1, 8).withMessage(MODEL.graph, graph);
}

/** The elements of each tensor by its name, wherever they lie. */
async function elementsOf(model: Message, folder: string): Promise<Map<string, Buffer>> {
  const elements = new Map<string, Buffer>();
  const files = new Map<string, Buffer>();
  for (const { location } of dataPlaces(model)) files.set(location, await readFile(join(folder, location)));
  rewriteTensors(model, (tensor) => {
    const place = dataPlaceOf(tensor);
    const outside = place && files.get(place.location)?.subarray(place.offset, place.offset + place.length);
    elements.set(tensor.text(TENSOR.name), Buffer.from(outside ?? tensor.all(TENSOR.rawData)[0] ?? []));
    return tensor;
  });
  return elements;
}

describe('the layout of weights', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-layout-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function graphOf(name: string, all: readonly Weight[]) {
    await writeFile(join(folder, name), modelOf(all).encode());
    return { name, folder, model: readGraphFile(join(folder, name)) };
  }

  it('has every tensor with its own bytes, aligned, each content once, in the order in which they were asked for', () =>
    fc.assert(
      fc.asyncProperty(
        weights,
        weights,
        fc.array(fc.nat(7), { minLength: 16, maxLength: 16 }),
        async (first, second, picks) => {
          const graphs = [await graphOf('first.onnx', first), await graphOf('second.onnx', second)];
          const asks = graphs.map(({ model }) => {
            const places = dataPlaces(model);
            return picks.slice(0, places.length).map((pick) => places[pick % places.length] as DataPlace);
          });

          const laidOut = await layOutWeights(graphs, asks, join(folder, 'weights.bin'));

          const places = laidOut.models.flatMap(dataPlaces);
          for (const [index, all] of [first, second].entries()) {
            const elements = await elementsOf(laidOut.models[index] as Message, folder);
            for (const [at, weight] of all.entries()) {
              // A small one stays in its node.
              if (weight.isNode && weight.size < 1024) expect(elements.has(`w${at}`)).toBe(false);
              else expect(elements.get(`w${at}`)?.equals(bytesOf(weight))).toBe(true);
            }
          }
          for (const { offset, length } of places) expect(offset % (length >= 1_048_576 ? 4096 : 64)).toBe(0);
          const contents = new Map(
            [...first, ...second].map((weight) => [`${weight.size} ${weight.content}`, weight.size]),
          );
          const outside = [...contents.values()].filter((size) => size >= 1024).reduce((sum, size) => sum + size, 0);
          const stored = [...new Map(places.map(({ offset, length }) => [offset, length])).values()];
          expect(stored.reduce((sum, length) => sum + length, 0)).toBe(outside);
          const alignments = [...contents.values()].map((size) => (size >= 1_048_576 ? 4096 : 64));
          expect(laidOut.bytes - outside).toBeLessThanOrEqual(alignments.reduce((sum, bytes) => sum + bytes, 0));
          const asked = graphs.flatMap(({ model }, index) => {
            const before = dataPlaces(model);
            const after = dataPlaces(laidOut.models[index] as Message);
            const placeOf = (ask: DataPlace) => before.findIndex((place) => isDeepStrictEqual(place, ask));
            return (asks[index] ?? []).map((ask) => after[placeOf(ask)]?.offset ?? Number.NaN);
          });
          const inFirstGraph = [...new Set(asked.slice(0, asks[0]?.length))];
          expect(inFirstGraph).toEqual(inFirstGraph.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 40 },
    ));

  it('refuses a field that is longer than the message that it is in', async () => {
    const tensor = Buffer.from(tensorOf({ size: 2000, content: 1, isInBranch: false, isNode: false }, 0).encode());
    // The length of the elements, 2000 in two bytes, becomes 2001: one byte of what comes after the tensor.
    const at = tensor.lastIndexOf(Buffer.of(0xd0, 0x0f));
    tensor[at] = 0xd1;
    const graph = new Message().withBytes(GRAPH.initializer, tensor).withText(2, 'what comes after');
    await writeFile(join(folder, 'long.onnx'), new Message().withMessage(MODEL.graph, graph).encode());

    expect(() => readGraphFile(join(folder, 'long.onnx'))).toThrow(/no whole ONNX file: it ends in the middle/);
  });

  it('refuses a file that is cut off or that holds other bytes, or reads what is there', () =>
    fc.assert(
      fc.asyncProperty(weights, fc.nat(), fc.nat(255), fc.boolean(), async (all, at, byte, isCut) => {
        const file = Buffer.from(modelOf(all).encode());
        const place = at % file.length;
        const altered = isCut
          ? file.subarray(0, place)
          : Buffer.concat([file.subarray(0, place), Buffer.of(byte), file.subarray(place + 1)]);
        await writeFile(join(folder, 'altered.onnx'), altered);
        try {
          expect(readGraphFile(join(folder, 'altered.onnx')).all(MODEL.graph)).toHaveLength(1);
          expect(isCut).toBe(false);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PublishInvalidError);
        }
      }),
      { numRuns: 100 },
    ));
});
