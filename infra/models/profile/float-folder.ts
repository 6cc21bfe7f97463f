import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DESCRIPTION } from '../../../shared/repository/description.ts';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import { filesBelow } from '../../../shared/repository/publisher.ts';
import { locationsOf, writeGraphs } from '../layout/write-graphs.ts';
import { dataPlaceOf } from '../onnx/external-data.ts';
import { VOCABULARY_COLUMNS } from '../onnx/float-projection.ts';
import { withFloatWeights } from '../onnx/float-weights.ts';
import { readGraphFile } from '../onnx/graph-file.ts';
import type { Message } from '../onnx/message.ts';
import { TENSOR } from '../onnx/onnx-fields.ts';
import type { Compute } from './choose-variant.ts';

const MINIMUM_COLUMNS: Readonly<Record<Exclude<Compute, 'as imported'>, number>> = {
  'float projection': VOCABULARY_COLUMNS,
  float32: 0,
};
const GRAPH_ROLES = ['encoder', 'decoder', 'classifier'];

/**
 * Copies a model's folder with its int8 products computed in float32.
 * @param target is made anew
 * @returns false, and writes nothing, when the model has no such products
 */
export async function makeFloatFolder(
  folder: string,
  manifest: Manifest,
  compute: Exclude<Compute, 'as imported'>,
  target: string,
): Promise<boolean> {
  const paths = GRAPH_ROLES.flatMap((role) => manifest.files.find((file) => file.role === role)?.path ?? []);
  const graphs = await Promise.all(
    paths.map(async (path) => {
      const source = resolve(folder, dirname(path));
      const model = readGraphFile(join(source, basename(path)));
      const elementsOf = await readElements(model, source);
      return {
        path,
        source,
        model,
        float: withFloatWeights(model, { minimumColumns: MINIMUM_COLUMNS[compute], elementsOf }),
      };
    }),
  );
  if (graphs.every(({ float }) => float === undefined)) return false;
  const work = join(target, '.work');
  await rm(target, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const written = [];
  for (const { path, source, model, float } of graphs) {
    // What stays as it was may lie in the graph's own file, which keeps its name.
    const name = `float-${basename(path)}`;
    await writeFile(join(work, name), (float ?? model).encode());
    for (const location of locationsOf({ model, folder: source, name: basename(path) })) {
      await symlink(join(source, location), join(work, location)).catch(() => undefined);
    }
    written.push({ path, name, folder: work, model: readGraphFile(join(work, name)) });
  }
  await writeGraphs(written, manifest.graphs, target);
  await rm(work, { recursive: true });
  const replaced = new Set(
    manifest.files.filter(({ role }) => [...GRAPH_ROLES, 'weights'].includes(role)).map(({ path }) => path),
  );
  for (const path of [...(await filesBelow(folder)), DESCRIPTION]) {
    if (!replaced.has(path)) await cp(join(folder, path), join(target, path));
  }
  return true;
}

/** The model's weights are small enough for memory, or nobody would want them in float. */
async function readElements(model: Message, folder: string): Promise<(tensor: Message) => Uint8Array> {
  const files = new Map<string, Buffer>();
  for (const location of locationsOf({ model, folder, name: '' })) {
    files.set(location, await readFile(join(folder, location)));
  }
  return (tensor) => {
    const place = dataPlaceOf(tensor);
    if (place === undefined) return tensor.all(TENSOR.rawData)[0] ?? new Uint8Array();
    return files.get(place.location)?.subarray(place.offset, place.offset + place.length) ?? new Uint8Array();
  };
}
