import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataPlace, dataPlaceOf, dataPlaces, pointToData, rewriteTensors } from '../onnx/external-data.ts';
import type { Message } from '../onnx/message.ts';
import type { GraphInFolder } from './record-asks.ts';

/** Name of the file, and place of it as the graphs tell it. */
export const WEIGHTS = 'weights.bin';

/** Bytes to which tensors are aligned; those of a megabyte and more to a page, so that they can be mapped. */
const ALIGNMENT = 64;
const PAGE = 4096;
const LARGE = 1024 * 1024;
const CHUNK = 4 * 1024 * 1024;

export interface LaidOutWeights {
  /** The graphs, in order, with all their weights in the one file. */
  readonly models: readonly Message[];
  /** Bytes of the weights file. */
  readonly bytes: number;
  /** Bytes that stand once where the graphs had them several times. */
  readonly sharedBytes: number;
}

/** A range of a file on disk. */
interface Blob {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Writes the weights of all graphs into one file: in the order in which the engine asks for them, aligned, and what several
 * tensors have in common once. It reads piece by piece, so its own memory does not grow with the model.
 * @param asks for each graph the ranges that the engine asked for; what it did not ask for comes last
 * @param target path of the file, which is made anew
 */
export async function layOutWeights(
  graphs: readonly GraphInFolder[],
  asks: readonly (readonly DataPlace[])[],
  target: string,
  onProgress: (bytesDone: number, bytesTotal: number) => void = () => undefined,
): Promise<LaidOutWeights> {
  const files = new OpenFiles();
  const output = await open(target, 'w');
  try {
    const wanted = blobsInOrder(graphs, asks);
    const contents = await contentKeys(files, wanted);
    const total = [...new Map(wanted.map((blob, index) => [contents[index], blob.length])).values()];
    const bytesTotal = total.reduce((sum, length) => sum + length, 0);
    const offsets = new Map<string, number>();
    let bytes = 0;
    let copied = 0;
    for (const [index, blob] of wanted.entries()) {
      const content = contents[index] as string;
      if (offsets.has(content)) continue;
      const alignment = blob.length >= LARGE ? PAGE : ALIGNMENT;
      const offset = Math.ceil(bytes / alignment) * alignment;
      await files.eachChunk(blob, async (chunk, at) => {
        await output.write(chunk, 0, chunk.length, offset + at);
        copied += chunk.length;
        onProgress(copied, bytesTotal);
      });
      offsets.set(content, offset);
      bytes = offset + blob.length;
    }
    const offsetOf = new Map(
      wanted.map((blob, index) => [keyOf(blob), offsets.get(contents[index] as string) as number]),
    );
    const models = graphs.map(({ model, folder }) =>
      rewriteTensors(model, (tensor) => {
        const place = dataPlaceOf(tensor);
        if (place === undefined) return tensor;
        const offset = offsetOf.get(keyOf(blobAt(folder, place))) as number;
        return pointToData(tensor, { location: WEIGHTS, offset, length: place.length });
      }),
    );
    const bytesBefore = wanted.reduce((sum, { length }) => sum + length, 0);
    return { models, bytes, sharedBytes: bytesBefore - bytesTotal };
  } finally {
    await output.close();
    await files.close();
  }
}

/** Every range once, in the order in which the sessions of the graphs ask for it first. */
function blobsInOrder(graphs: readonly GraphInFolder[], asks: readonly (readonly DataPlace[])[]): Blob[] {
  const blobs = new Map<string, Blob>();
  for (const [index, graph] of graphs.entries()) {
    const places = new Map(dataPlaces(graph.model).map((place) => [keyOf(blobAt(graph.folder, place)), place]));
    const asked = (asks[index] ?? []).filter((ask) => places.has(keyOf(blobAt(graph.folder, ask))));
    for (const place of [...asked, ...places.values()]) {
      const blob = blobAt(graph.folder, place);
      if (!blobs.has(keyOf(blob))) blobs.set(keyOf(blob), blob);
    }
  }
  return [...blobs.values()];
}

/** For each range a key that those of the same content share; what has its length for itself is not read. */
async function contentKeys(files: OpenFiles, blobs: readonly Blob[]): Promise<string[]> {
  const lengths = new Map<number, number>();
  for (const { length } of blobs) lengths.set(length, (lengths.get(length) ?? 0) + 1);
  const keys: string[] = [];
  for (const blob of blobs) {
    keys.push(lengths.get(blob.length) === 1 ? `${blob.length}` : `${blob.length} ${await files.hash(blob)}`);
  }
  return keys;
}

function blobAt(folder: string, { location, offset, length }: DataPlace): Blob {
  return { path: join(folder, location), offset, length };
}

function keyOf({ path, offset, length }: Blob): string {
  return `${path} ${offset} ${length}`;
}

/** The files that weights come from, each opened once. */
class OpenFiles {
  readonly #handles = new Map<string, FileHandle>();
  readonly #buffer = Buffer.alloc(CHUNK);

  /** @param take may keep the bytes until it resolves; `at` is their place in the range */
  async eachChunk(
    { path, offset, length }: Blob,
    take: (bytes: Uint8Array, at: number) => Promise<void> | void,
  ): Promise<void> {
    const handle = this.#handles.get(path) ?? (await open(path, 'r'));
    this.#handles.set(path, handle);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await handle.read(this.#buffer, 0, Math.min(CHUNK, length - done), offset + done);
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
      await take(this.#buffer.subarray(0, bytesRead), done);
      done += bytesRead;
    }
  }

  async hash(blob: Blob): Promise<string> {
    const hash = createHash('sha256');
    await this.eachChunk(blob, (bytes) => void hash.update(bytes));
    return hash.digest('base64');
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
  }
}
