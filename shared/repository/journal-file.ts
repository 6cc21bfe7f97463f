import { appendFile, rename, writeFile } from 'node:fs/promises';

/**
 * The lines of a journal on disk, written in order and in the background: nobody waits for them but `settled`. After a
 * write that failed nothing more is written, so what can be read is true; the bytes it lacks are fetched again.
 */
export class JournalFile {
  readonly #path: string;
  #writes: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  append(line: string): void {
    this.#then(() => appendFile(this.#path, line));
  }

  /** The file as a whole, old or new at any moment at which the process may die. */
  replace(text: string): void {
    this.#then(async () => {
      const next = `${this.#path}.next`;
      await writeFile(next, text);
      await rename(next, this.#path);
    });
  }

  /** Resolves when everything is written or will never be. */
  async settled(): Promise<void> {
    await this.#writes.catch(() => undefined);
  }

  #then(write: () => Promise<void>): void {
    this.#writes = this.#writes.then(write);
    this.#writes.catch(() => undefined);
  }
}
