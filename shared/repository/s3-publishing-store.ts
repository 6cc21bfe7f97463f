import { readFile, stat } from 'node:fs/promises';
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ObjectChangedError, ObjectNotFoundError } from './errors.ts';
import type { PublishedObject, PublishingStore, PutFile, RemovingStore, UploadJournal } from './object-store.ts';
import { mapS3Error } from './s3-errors.ts';
import { abortable, S3ObjectStore } from './s3-object-store.ts';
import { PART_BYTES, uploadResumed } from './s3-resumed-upload.ts';

/** Where nobody remembers, an upload that was interrupted is begun anew. */
const forgetful: UploadJournal = {
  find: async () => undefined,
  begun: async () => undefined,
  ended: async () => undefined,
};

/** The publisher's side of the bucket. Apart from the reader: the functions write nothing into it. */
export class S3PublishingStore extends S3ObjectStore implements PublishingStore, RemovingStore {
  readonly #journal: UploadJournal;

  constructor(client: S3Client, bucket: string, journal: UploadJournal = forgetful) {
    super(client, bucket);
    this.#journal = journal;
  }

  async head(key: string, options: { signal?: AbortSignal } = {}): Promise<PublishedObject | undefined> {
    try {
      const answer = await this.client.send(
        new HeadObjectCommand({ Bucket: this.bucket, Key: key }),
        abortable(options),
      );
      return {
        key,
        size: answer.ContentLength ?? 0,
        etag: answer.ETag ?? '',
        sha256: answer.Metadata?.['sha256'],
      };
    } catch (thrown) {
      const error = mapS3Error(thrown, `HEAD ${key}`, options.signal);
      if (error instanceof ObjectNotFoundError) {
        return undefined;
      }
      throw error;
    }
  }

  async putFile(key: string, path: string, options: PutFile): Promise<boolean> {
    const { signal, sha256, onProgress } = options;
    signal?.throwIfAborted();
    try {
      const { size } = await stat(path);
      if (size > PART_BYTES) {
        const journal = this.#journal;
        await uploadResumed(this.client, { bucket: this.bucket, key, path, sha256, journal, signal, onProgress });
      } else {
        await this.#putWhole(key, await readFile(path), options);
      }
      return true;
    } catch (thrown) {
      return falseIfTaken(mapS3Error(thrown, `PUT ${key}`, signal));
    }
  }

  async #putWhole(key: string, body: Buffer, { sha256, signal, onProgress }: PutFile): Promise<void> {
    await this.client.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, IfNoneMatch: '*', Metadata: { sha256 } }),
      abortable({ signal }),
    );
    onProgress?.(body.length);
  }

  async delete(key: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    try {
      await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }), abortable(options));
    } catch (thrown) {
      throw mapS3Error(thrown, `DELETE ${key}`, options.signal);
    }
  }

  async putText(key: string, text: string, options: { signal?: AbortSignal } = {}): Promise<boolean> {
    try {
      await this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: text,
          IfNoneMatch: '*',
          ContentType: 'application/json; charset=utf-8',
        }),
        abortable(options),
      );
      return true;
    } catch (thrown) {
      return falseIfTaken(mapS3Error(thrown, `PUT ${key}`, options.signal));
    }
  }
}

function falseIfTaken(error: unknown): false {
  if (error instanceof ObjectChangedError) {
    return false;
  }
  throw error;
}
