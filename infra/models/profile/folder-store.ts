import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ObjectNotFoundError } from '../../../shared/repository/errors.ts';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import { objectKey } from '../../../shared/repository/manifest-store.ts';
import type { Listing, ObjectStore, RangeRequest, RangeResponse } from '../../../shared/repository/object-store.ts';
import { filesBelow } from '../../../shared/repository/publisher.ts';

/** One version's files in a folder, for a load that runs as it does from S3. */
export class FolderStore implements ObjectStore {
  readonly #folder: string;
  readonly #prefix: string;

  constructor(folder: string, manifest: Manifest) {
    this.#folder = folder;
    this.#prefix = objectKey(manifest, '');
  }

  async getRange(key: string, { start, end, signal }: RangeRequest): Promise<RangeResponse> {
    signal?.throwIfAborted();
    const path = this.#pathOf(key);
    const { size, mtimeMs } = await stat(path);
    const chunks = createReadStream(path, { start, end: end - 1, signal: signal ?? null });
    return { etag: `"${size}-${mtimeMs}"`, totalSize: size, chunks };
  }

  getText(key: string): Promise<string> {
    return readFile(this.#pathOf(key), 'utf8');
  }

  async list(prefix: string): Promise<Listing> {
    const objects = (await filesBelow(this.#folder)).map(async (path) => {
      const { size, mtimeMs } = await stat(join(this.#folder, path));
      return { key: this.#prefix + path, size, etag: `"${size}-${mtimeMs}"` };
    });
    return { objects: (await Promise.all(objects)).filter(({ key }) => key.startsWith(prefix)), folders: [] };
  }

  #pathOf(key: string): string {
    if (!key.startsWith(this.#prefix)) throw new ObjectNotFoundError(`${key} is not in the folder`);
    return join(this.#folder, key.slice(this.#prefix.length));
  }

  renewConnections(): void {
    // A folder has none.
  }
}
