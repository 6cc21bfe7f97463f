import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PublishInvalidError } from '../../../shared/repository/errors.ts';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import { askChild, ChildFailedError } from '../child-process.ts';
import type { DataPlace } from '../onnx/external-data.ts';
import type { Message } from '../onnx/message.ts';

/** A graph as the engine is to be given it. */
export interface GraphInFolder {
  /** A `ModelProto` whose weights lie outside it. */
  readonly model: Message;
  /** The folder from which the places of its weights are told. */
  readonly folder: string;
  /** For messages. */
  readonly name: string;
}

export interface RecordRequest {
  readonly graphs: readonly { readonly path: string; readonly folder: string; readonly locations: readonly string[] }[];
  readonly kind: Manifest['graphs'];
}

export interface RecordReply {
  /** For each graph what the engine asked for, in its order; the same range may come more than once. */
  readonly asks: readonly (readonly DataPlace[])[];
}

/**
 * Has the engine create the graphs' sessions, in that order, and writes down which of their weights it asks for when. It
 * does so in a process of its own, which needs as much memory as a load of the model.
 * @throws PublishInvalidError with the engine's words when it cannot create a session
 */
export async function recordAsks(
  graphs: readonly GraphInFolder[],
  kind: Manifest['graphs'],
  locationsOf: (graph: GraphInFolder) => readonly string[],
  signal?: AbortSignal,
): Promise<RecordReply['asks']> {
  const work = await mkdtemp(join(tmpdir(), 'casalingua-record-'));
  try {
    const request: RecordRequest = {
      kind,
      graphs: await Promise.all(
        graphs.map(async (graph, index) => {
          const path = join(work, `${index}.onnx`);
          await writeFile(path, graph.model.encode());
          return { path, folder: graph.folder, locations: locationsOf(graph) };
        }),
      ),
    };
    const program = new URL('record-asks-child.ts', import.meta.url);
    const reply = await askChild<RecordRequest, RecordReply>(program, request, signal === undefined ? {} : { signal });
    return reply.asks;
  } catch (cause) {
    if (!(cause instanceof ChildFailedError)) throw cause;
    throw new PublishInvalidError(`the engine cannot load it: ${cause.message}`, { cause });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
