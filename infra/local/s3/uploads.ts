import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { invalidPart, noSuchUpload } from './errors.ts';
import type { Bucket } from './objects.ts';
import { base64OfCrc, type ReceivedFile } from './receive.ts';

interface Upload {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, ReceivedFile>;
}

/** Multipart uploads of one bucket; they end with the process, their leftovers are swept when the bucket is opened again. */
export class Uploads {
  readonly #bucket: Bucket;
  readonly #uploads = new Map<string, Upload>();

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  begin(key: string, headers: Readonly<Record<string, string>>): string {
    const id = randomUUID();
    this.#uploads.set(id, { key, headers, parts: new Map() });
    return id;
  }

  /** @throws S3Error NoSuchUpload */
  get(id: string, key: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.key !== key) throw noSuchUpload();
    return upload;
  }

  async addPart(upload: Upload, number: number, part: ReceivedFile): Promise<void> {
    const old = upload.parts.get(number);
    upload.parts.set(number, part);
    if (old !== undefined) await rm(old.file, { force: true });
  }

  /** All named parts in one file, streamed. @throws S3Error InvalidPart */
  async assemble(
    upload: Upload,
    named: readonly { readonly number: number; readonly etag: string }[],
  ): Promise<ReceivedFile> {
    const parts = named.map(({ number, etag }) => {
      const part = upload.parts.get(number);
      if (part === undefined || part.etag !== etag) throw invalidPart();
      return part;
    });
    if (parts.length === 0) throw invalidPart();
    let crc = 0;
    async function* joined(): AsyncGenerator<Buffer> {
      for (const part of parts) {
        for await (const chunk of createReadStream(part.file)) {
          crc = crc32(chunk, crc);
          yield chunk;
        }
      }
    }
    const file = this.#bucket.path(this.#bucket.newFile());
    await pipeline(joined(), createWriteStream(file));
    const digests = createHash('md5');
    for (const part of parts) digests.update(Buffer.from(part.etag, 'hex'));
    return {
      file,
      size: parts.reduce((sum, part) => sum + part.size, 0),
      etag: `${digests.digest('hex')}-${parts.length}`,
      crc32: base64OfCrc(crc),
    };
  }

  async end(id: string): Promise<void> {
    const upload = this.#uploads.get(id);
    this.#uploads.delete(id);
    for (const part of upload?.parts.values() ?? []) await rm(part.file, { force: true });
  }
}
