import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { WireType } from '@bufbuild/protobuf/wire';
import { messageOf } from '../../../shared/errors.ts';
import { PublishInvalidError } from '../../../shared/repository/errors.ts';
import { dataPlaceOf, pointToData } from './external-data.ts';
import { type Field, Message } from './message.ts';
import { ATTRIBUTE, EXTERNAL, GRAPH, MODEL, NODE, TENSOR } from './onnx-fields.ts';

/**
 * Tensors smaller than this stay in the graph: shapes and scalars, which the engine looks at while it works out what the
 * graph does.
 */
export const SMALLEST_OUTSIDE = 1024;

const WINDOW = 64 * 1024;

/** Which fields of a message are messages to look into, and which are the bytes of a tensor. */
interface Kind {
  readonly nested: Readonly<Record<number, () => Kind>>;
  readonly isWeight?: boolean;
  readonly isGraph?: boolean;
}

const tensorKind: Kind = { nested: {}, isWeight: true };
const graphKind: Kind = {
  nested: { [GRAPH.node]: () => nodeKind, [GRAPH.initializer]: () => tensorKind },
  isGraph: true,
};
const attributeKind: Kind = {
  nested: {
    [ATTRIBUTE.tensor]: () => tensorKind,
    [ATTRIBUTE.graph]: () => graphKind,
    [ATTRIBUTE.graphs]: () => graphKind,
  },
};
const nodeKind: Kind = { nested: { [NODE.attribute]: () => attributeKind } };
const modelKind: Kind = { nested: { [MODEL.graph]: () => graphKind } };

/**
 * Reads an ONNX file's structure and leaves its weights where they are: a tensor of some size comes as external data
 * that lies in this very file. So a model of 1.9 GB takes no more memory than its nodes.
 * @returns a `ModelProto`
 * @throws PublishInvalidError when it is no ONNX file
 */
export function readGraphFile(path: string): Message {
  const name = basename(path);
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const model = readMessage(new FileWindow(descriptor), { start: 0, end: size }, modelKind, name);
    if (model.all(MODEL.graph).length !== 1) throw new Error('it holds no graph');
    return model;
  } catch (cause) {
    throw new PublishInvalidError(`${name} is no whole ONNX file: ${messageOf(cause)}`, { cause });
  } finally {
    closeSync(descriptor);
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function readMessage(file: FileWindow, { start, end }: Span, kind: Kind, name: string): Message {
  const fields: Field[] = [];
  let weight: Span | undefined;
  for (let at = start; at < end; ) {
    const tag = file.varint(at, end);
    const number = tag.value >>> 3;
    const wireType = tag.value & 7;
    const content = contentOf(file, wireType, { start: tag.end, end });
    at = content.end;
    const nested = wireType === WireType.LengthDelimited ? kind.nested[number] : undefined;
    if (nested !== undefined) {
      fields.push({ number, wireType, content: readMessage(file, content, nested(), name).encode() });
    } else if (kind.isWeight && number === TENSOR.rawData && content.end - content.start >= SMALLEST_OUTSIDE) {
      weight = content;
    } else {
      fields.push({ number, wireType, content: file.bytes(content) });
    }
  }
  const message = kind.isGraph ? withWeightsAsInitializers(new Message(fields)) : new Message(fields);
  if (weight === undefined || message.integers(TENSOR.dataLocation)[0] === EXTERNAL) return message;
  return pointToData(message, { location: name, offset: weight.start, length: weight.end - weight.start });
}

/** Some exporters have their weights in nodes of their own; the engine makes initializers of these too. */
function withWeightsAsInitializers(graph: Message): Message {
  const initializers: Message[] = [];
  const nodes = graph.messages(GRAPH.node).filter((node) => {
    if (node.text(NODE.operator) !== 'Constant') return true;
    const [tensor] = node.messages(NODE.attribute).flatMap((attribute) => attribute.messages(ATTRIBUTE.tensor));
    if (tensor === undefined || dataPlaceOf(tensor) === undefined) return true;
    const [output = ''] = node.texts(NODE.output);
    initializers.push(tensor.without(TENSOR.name).withText(TENSOR.name, output));
    return false;
  });
  if (initializers.length === 0) return graph;
  const all = [...graph.messages(GRAPH.initializer), ...initializers];
  return graph.withMessages(GRAPH.node, nodes).withMessages(GRAPH.initializer, all);
}

/** Where a field's content lies, without its length. */
function contentOf(file: FileWindow, wireType: number, { start, end }: Span): Span {
  const whole = (span: Span): Span => {
    if (span.end > end) throw new Error('it ends in the middle of a field');
    return span;
  };
  switch (wireType) {
    case WireType.Varint:
      return { start, end: file.varint(start, end).end };
    case WireType.Bit64:
      return whole({ start, end: start + 8 });
    case WireType.Bit32:
      return whole({ start, end: start + 4 });
    case WireType.LengthDelimited: {
      const length = file.varint(start, end);
      return whole({ start: length.end, end: length.end + length.value });
    }
    default:
      throw new Error('it holds what protobuf does not know');
  }
}

/** A file through a window that moves: structures are read byte by byte, weights are jumped over. */
class FileWindow {
  readonly #descriptor: number;
  readonly #window = Buffer.alloc(WINDOW);
  #start = 0;
  #length = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Exact up to 2^53; more only ends in a length that the file does not have. */
  varint(at: number, end: number): { readonly value: number; readonly end: number } {
    let value = 0;
    for (let index = 0; index < 10 && at + index < end; index++) {
      const byte = this.#byte(at + index);
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return { value, end: at + index + 1 };
    }
    throw new Error('it ends in the middle of a number');
  }

  bytes({ start, end }: Span): Uint8Array {
    const bytes = new Uint8Array(end - start);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.#descriptor, bytes, done, bytes.length - done, start + done);
      if (read === 0) throw new Error('it became shorter while it was read');
      done += read;
    }
    return bytes;
  }

  #byte(at: number): number {
    if (at < this.#start || at >= this.#start + this.#length) {
      this.#start = at;
      this.#length = readSync(this.#descriptor, this.#window, 0, WINDOW, at);
      if (this.#length === 0) throw new Error('it became shorter while it was read');
    }
    return this.#window[at - this.#start] as number;
  }
}
