import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DESCRIPTION } from '../../shared/repository/description.ts';
import { objectKey, readManifest } from '../../shared/repository/manifest-store.ts';
import type { ObjectStore } from '../../shared/repository/object-store.ts';
import type { PublishProgress } from '../../shared/repository/publisher.ts';

/**
 * Copies a published version into a folder that could be published again, under a version of its own: its files, and its
 * description as its manifest has it. What the bytes are is for whoever publishes or loads them to check.
 * @throws ManifestInvalidError, ObjectNotFoundError, StoreUnavailableError, StoreRefusedError
 */
export async function fetchVersion(
  store: ObjectStore,
  model: { readonly id: string; readonly version: string },
  folder: string,
  onProgress: (progress: PublishProgress) => void = () => undefined,
): Promise<void> {
  const manifest = await readManifest(store, model);
  for (const { path, size } of manifest.files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    if (size === 0) {
      await writeFile(target, '');
      continue;
    }
    const { chunks } = await store.getRange(objectKey(model, path), { start: 0, end: size });
    let bytesDone = 0;
    const counted = async function* () {
      for await (const chunk of chunks) {
        bytesDone += chunk.length;
        onProgress({ file: path, bytesDone, bytesTotal: size });
        yield chunk;
      }
    };
    await pipeline(counted, createWriteStream(target));
  }
  const { schema: _, files, ...described } = manifest;
  const roles = Object.fromEntries(files.map(({ path, role }) => [path, role]));
  await writeFile(join(folder, DESCRIPTION), `${JSON.stringify({ ...described, roles }, null, 2)}\n`);
}
