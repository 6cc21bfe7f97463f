import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noSuchBucket } from './errors.ts';

/** What is known of an object; its bytes are in `file`, below the bucket's `data`. */
export interface StoredObject {
  readonly key: string;
  readonly file: string;
  readonly size: number;
  readonly etag: string;
  readonly crc32: string;
  /** Headers that come back with the object: its type, its `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Wall clock, ms since the epoch. */
  readonly modified: number;
}

/**
 * One bucket: `data/<uuid>` holds an object's bytes, `meta/<hash of the key>.json` what is known of it. The rename of
 * the latter is what publishes an object, so a reader sees the old one or the new one, whole.
 */
export class Bucket {
  readonly #folder: string;
  readonly #objects = new Map<string, StoredObject>();

  constructor(folder: string) {
    this.#folder = folder;
    for (const part of ['data', 'meta']) mkdirSync(join(folder, part), { recursive: true });
    for (const name of readdirSync(join(folder, 'meta'))) {
      const path = join(folder, 'meta', name);
      if (name.endsWith('.json')) {
        const object: StoredObject = JSON.parse(readFileSync(path, 'utf8'));
        this.#objects.set(object.key, object);
      } else rmSync(path);
    }
    const kept = new Set(Array.from(this.#objects.values(), (object) => object.file));
    for (const file of readdirSync(join(folder, 'data'))) if (!kept.has(file)) rmSync(this.path(file));
  }

  path(file: string): string {
    return join(this.#folder, 'data', file);
  }

  /** Where a body that is on its way may be written. */
  newFile(): string {
    return randomUUID();
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  /** In one synchronous step, so that a condition checked just before still holds. */
  put(object: StoredObject): void {
    const meta = this.#metaPath(object.key);
    writeFileSync(`${meta}.new`, JSON.stringify(object));
    renameSync(`${meta}.new`, meta);
    const old = this.#objects.get(object.key);
    this.#objects.set(object.key, object);
    if (old !== undefined) rmSync(this.path(old.file), { force: true });
  }

  delete(key: string): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    rmSync(this.#metaPath(key));
    this.#objects.delete(key);
    rmSync(this.path(old.file), { force: true });
  }

  /** Every object, in the order of the keys' UTF-8 bytes. */
  sorted(): StoredObject[] {
    return Array.from(this.#objects.values()).sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  #metaPath(key: string): string {
    return join(this.#folder, 'meta', `${createHash('sha256').update(key).digest('hex')}.json`);
  }
}

/** The buckets below one folder, kept between runs. */
export class Buckets {
  readonly #folder: string;
  readonly #buckets = new Map<string, Bucket>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) this.create(name);
  }

  has(name: string): boolean {
    return this.#buckets.has(name);
  }

  create(name: string): void {
    if (!this.#buckets.has(name)) this.#buckets.set(name, new Bucket(join(this.#folder, name)));
  }

  /** @throws S3Error NoSuchBucket */
  get(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw noSuchBucket();
    return bucket;
  }
}
