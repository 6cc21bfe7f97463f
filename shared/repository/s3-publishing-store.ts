import { createReadStream } from 'node:fs';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { ObjectChangedError, ObjectNotFoundError } from './errors.ts';
import type { PublishedObject, PublishingStore, PutFile } from './object-store.ts';
import { mapS3Error } from './s3-errors.ts';
import { abortable, S3ObjectStore } from './s3-object-store.ts';

const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;

/** The publisher's side of the bucket. Apart from the reader: lib-storage has no place in the functions' bundles. */
export class S3PublishingStore extends S3ObjectStore implements PublishingStore {
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
    const { signal } = options;
    signal?.throwIfAborted();
    const upload = new Upload({
      client: this.client,
      params: {
        Bucket: this.bucket,
        Key: key,
        Body: createReadStream(path, { highWaterMark: 1024 * 1024 }),
        IfNoneMatch: '*',
        Metadata: { sha256: options.sha256 },
      },
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
    });
    upload.on('httpUploadProgress', ({ loaded }) => options.onProgress?.(loaded ?? 0));
    const abort = () => void upload.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await upload.done();
      return true;
    } catch (thrown) {
      return falseIfTaken(mapS3Error(thrown, `PUT ${key}`, signal));
    } finally {
      signal?.removeEventListener('abort', abort);
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
