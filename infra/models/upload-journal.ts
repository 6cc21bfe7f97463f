import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamedUpload, UploadJournal } from '../../shared/repository/object-store.ts';

const NAME = '.casalingua-uploads.json';

/**
 * Remembers uploads in the folder that is published, as a hidden file, which is not. In a folder that cannot be written
 * nothing is remembered, and an interrupted upload begins anew.
 */
export class FolderUploadJournal implements UploadJournal {
  readonly #path: string;
  #uploads: Record<string, string> | undefined;

  constructor(folder: string) {
    this.#path = join(folder, NAME);
  }

  async find(upload: NamedUpload): Promise<string | undefined> {
    return (await this.#read())[nameOf(upload)];
  }

  async begun(upload: NamedUpload, id: string): Promise<void> {
    await this.#write({ ...(await this.#read()), [nameOf(upload)]: id });
  }

  async ended(upload: NamedUpload): Promise<void> {
    const { [nameOf(upload)]: _, ...others } = await this.#read();
    await this.#write(others);
  }

  async #read(): Promise<Record<string, string>> {
    if (this.#uploads === undefined) {
      const json: unknown = await readFile(this.#path, 'utf8')
        .then(JSON.parse)
        .catch(() => undefined);
      const entries = Object.entries(typeof json === 'object' && json !== null ? json : {});
      this.#uploads = Object.fromEntries(
        entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      );
    }
    return this.#uploads;
  }

  async #write(uploads: Record<string, string>): Promise<void> {
    this.#uploads = uploads;
    try {
      if (Object.keys(uploads).length === 0) return await rm(this.#path, { force: true });
      await writeFile(`${this.#path}.new`, JSON.stringify(uploads));
      await rename(`${this.#path}.new`, this.#path);
    } catch {
      // A folder that cannot be written.
    }
  }
}

function nameOf({ key, sha256 }: NamedUpload): string {
  return `${key} ${sha256}`;
}
