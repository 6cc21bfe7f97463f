import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { ManifestFile } from './manifest.ts';
import { hashFile } from './prefix-hash.ts';

const recordSchema = z.record(z.string(), z.object({ size: z.int(), mtimeMs: z.number(), sha256: z.string() }));

type Records = z.infer<typeof recordSchema>;

/**
 * What has been verified in one version's folder (`verified.json`), so that a file whose size and time have not changed
 * is not hashed again. Losing the record costs a hash, never trust.
 */
export class VerifiedFiles {
  readonly #folder: string;
  readonly #records: Records;
  #changed = false;

  private constructor(folder: string, records: Records) {
    this.#folder = folder;
    this.#records = records;
  }

  static async read(folder: string): Promise<VerifiedFiles> {
    try {
      const json: unknown = JSON.parse(await readFile(join(folder, 'verified.json'), 'utf8'));
      return new VerifiedFiles(folder, recordSchema.parse(json));
    } catch {
      return new VerifiedFiles(folder, {});
    }
  }

  /** Whether the file is there and whole. One that isn't whole is removed. */
  async isWhole(file: ManifestFile, path: string): Promise<boolean> {
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) {
      return false;
    }
    const record = this.#records[file.path];
    if (
      record?.sha256 === file.sha256 &&
      info.size === file.size &&
      record.size === info.size &&
      record.mtimeMs === info.mtimeMs
    ) {
      return true;
    }
    if (info.size === file.size && (await sha256Of(path)) === file.sha256) {
      await this.add(file, path);
      return true;
    }
    await rm(path, { force: true });
    return false;
  }

  /** Records a file that has just been verified. */
  async add(file: ManifestFile, path: string): Promise<void> {
    const { size, mtimeMs } = await stat(path);
    this.#records[file.path] = { size, mtimeMs, sha256: file.sha256 };
    this.#changed = true;
  }

  async save(): Promise<void> {
    if (!this.#changed) {
      return;
    }
    const draft = join(this.#folder, `verified.${randomBytes(6).toString('hex')}`);
    await writeFile(draft, JSON.stringify(this.#records));
    await rename(draft, join(this.#folder, 'verified.json'));
    this.#changed = false;
  }
}

async function sha256Of(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    return await hashFile(handle);
  } finally {
    await handle.close();
  }
}
