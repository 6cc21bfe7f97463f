import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { ObjectNotFoundError } from '../../shared/repository/errors.ts';
import type { Manifest, ManifestFile } from '../../shared/repository/manifest.ts';
import { objectKey, readManifest } from '../../shared/repository/manifest-store.ts';
import type { ObjectStore } from '../../shared/repository/object-store.ts';
import type { PublishProgress } from '../../shared/repository/publisher.ts';

export interface VerifiedVersion {
  readonly manifest: Manifest;
  /** What is wrong, file by file; nothing when all is as the manifest says. */
  readonly damages: readonly string[];
}

const FILES_AT_ONCE = 4;

/**
 * Reads every file of a published version again and compares size and sha256 with its manifest; nothing is kept.
 * @throws ManifestInvalidError when there is no manifest or it is damaged, StoreUnavailableError, StoreRefusedError
 */
export async function verifyVersion(
  store: ObjectStore,
  model: { readonly id: string; readonly version: string },
  onProgress: (progress: PublishProgress) => void = () => undefined,
): Promise<VerifiedVersion> {
  const manifest = await readManifest(store, model);
  const bytesTotal = manifest.files.reduce((sum, { size }) => sum + size, 0);
  let bytesDone = 0;
  const limit = pLimit(FILES_AT_ONCE);
  const checked = manifest.files.map((file) =>
    limit(() =>
      damageOf(store, objectKey(model, file.path), file, (bytes) => {
        bytesDone += bytes;
        onProgress({ file: `${model.id}@${model.version}`, bytesDone, bytesTotal });
      }),
    ),
  );
  return { manifest, damages: (await Promise.all(checked)).flat() };
}

async function damageOf(
  store: ObjectStore,
  key: string,
  { path, size, sha256 }: ManifestFile,
  onBytes: (bytes: number) => void,
): Promise<string[]> {
  const hash = createHash('sha256');
  let received = 0;
  // S3 has no range of nothing.
  if (size > 0) {
    try {
      const { totalSize, chunks } = await store.getRange(key, { start: 0, end: size });
      if (totalSize !== size) return [`${path} has ${totalSize} bytes, not ${size}`];
      for await (const chunk of chunks) {
        hash.update(chunk);
        received += chunk.length;
        onBytes(chunk.length);
      }
    } catch (thrown) {
      if (thrown instanceof ObjectNotFoundError) return [`${path} is missing`];
      throw thrown;
    }
  }
  if (received !== size) return [`${path} ended after ${received} of ${size} bytes`];
  return hash.digest('hex') === sha256 ? [] : [`${path} has other content than its sha256`];
}
