import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { buildGraphs } from '../../infra/bundle-models.ts';
import { DESCRIPTION } from '../../shared/repository/description.ts';

/**
 * A shipped translation with the graphs that we publish, but with their weights in them: what another library, or a plain script,
 * would be given. It has an id of its own.
 * @param published its folder
 * @param target made anew
 */
export async function embedWeights(published: string, target: string): Promise<void> {
  const id = basename(published);
  await rm(target, { recursive: true, force: true });
  await cp(published, target, { recursive: true });
  await rm(join(target, 'onnx', 'weights.bin'));
  await buildGraphs(id, join(target, 'onnx'));
  const { loading: _, ...described } = JSON.parse(await readFile(join(published, DESCRIPTION), 'utf8')) as Record<
    string,
    unknown
  >;
  await writeFile(join(target, DESCRIPTION), JSON.stringify({ ...described, id: `embedded-${id}` }));
}
