import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import type { PublishProgress } from '../../../shared/repository/publisher.ts';
import { dataPlaces } from '../onnx/external-data.ts';
import { type LaidOutWeights, layOutWeights, WEIGHTS } from './lay-out-weights.ts';
import { type GraphInFolder, recordAsks } from './record-asks.ts';

/** A graph with its path in the version that it is written for. */
export interface GraphToWrite extends GraphInFolder {
  readonly path: string;
}

/** Names of the files, from the graph's folder, in which its weights lie. */
export function locationsOf({ model }: GraphInFolder): string[] {
  return [...new Set(dataPlaces(model).map(({ location }) => location))];
}

/**
 * Writes the graphs of a version, and their weights into one file beside them, in the order in which the engine asks.
 * @param target the version's folder
 * @throws PublishInvalidError when the engine cannot create a session of one
 */
export async function writeGraphs(
  graphs: readonly GraphToWrite[],
  kind: Manifest['graphs'],
  target: string,
  onProgress: (progress: PublishProgress) => void = () => undefined,
): Promise<LaidOutWeights> {
  const asks = await recordAsks(graphs, kind, locationsOf);
  const folder = join(target, dirname(graphs[0]?.path ?? ''));
  await mkdir(folder, { recursive: true });
  const laidOut = await layOutWeights(graphs, asks, join(folder, WEIGHTS), (bytesDone, bytesTotal) =>
    onProgress({ file: WEIGHTS, bytesDone, bytesTotal }),
  );
  for (const [index, { path }] of graphs.entries()) {
    await writeFile(join(folder, basename(path)), (laidOut.models[index] as (typeof laidOut.models)[number]).encode());
  }
  return laidOut;
}
