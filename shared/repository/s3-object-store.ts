import { addAbortSignal, Readable } from 'node:stream';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { StoreUnavailableError } from './errors.ts';
import type { Listing, ObjectInfo, ObjectStore, RangeRequest, RangeResponse } from './object-store.ts';
import { mapS3Error } from './s3-errors.ts';

/** Ms to reach S3, and ms in which it must begin to answer; a body that stalls is the download's to notice. */
const CONNECT_MS = 1_000;
const SOCKET_IDLE_MS = 30_000;

export interface S3ClientOptions {
  /** Sockets at once. */
  readonly sockets?: number;
  /** Attempts by the SDK itself; 1 where the caller retries. */
  readonly attempts?: number;
}

/** An S3 client by the usual AWS environment; a local endpoint is addressed by path, since it has no names per bucket. */
export function createS3Client(options: S3ClientOptions = {}): S3Client {
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  const agent = { keepAlive: true, maxSockets: options.sockets ?? 16 };
  return new S3Client({
    maxAttempts: options.attempts ?? 1,
    forcePathStyle: endpoint !== undefined,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      socketTimeout: SOCKET_IDLE_MS,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  });
}

/** The objects of one bucket, for reading. */
export class S3ObjectStore implements ObjectStore {
  protected readonly client: S3Client;
  protected readonly bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.client = client;
    this.bucket = bucket;
  }

  async getRange(key: string, request: RangeRequest): Promise<RangeResponse> {
    const { start, end, ifMatch, signal } = request;
    const what = `GET ${key}`;
    try {
      const answer = await this.client.send(
        new GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Range: `bytes=${start}-${end - 1}`,
          ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
        }),
        signal === undefined ? {} : { abortSignal: signal },
      );
      const range = parseContentRange(answer.ContentRange);
      if (answer.ETag === undefined || range === undefined || range.start !== start) {
        throw new StoreUnavailableError(`S3 ${what}: the answer is not the range that was asked for`);
      }
      return { etag: answer.ETag, totalSize: range.total, chunks: bytesOf(answer.Body, what, signal) };
    } catch (thrown) {
      throw mapS3Error(thrown, what, signal);
    }
  }

  async getText(key: string, options: { signal?: AbortSignal } = {}): Promise<string> {
    const what = `GET ${key}`;
    try {
      const answer = await this.client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: key }),
        abortable(options),
      );
      const parts: Uint8Array[] = [];
      for await (const part of bytesOf(answer.Body, what, options.signal)) {
        parts.push(part);
      }
      return Buffer.concat(parts).toString('utf8');
    } catch (thrown) {
      throw mapS3Error(thrown, what, options.signal);
    }
  }

  async list(prefix: string, options: { signal?: AbortSignal; delimiter?: string } = {}): Promise<Listing> {
    const objects: ObjectInfo[] = [];
    const folders: string[] = [];
    try {
      const pages = paginateListObjectsV2(
        { client: this.client },
        {
          Bucket: this.bucket,
          Prefix: prefix,
          ...(options.delimiter === undefined ? {} : { Delimiter: options.delimiter }),
        },
        abortable(options),
      );
      for await (const page of pages) {
        for (const { Key, Size, ETag } of page.Contents ?? []) {
          if (Key !== undefined) {
            objects.push({ key: Key, size: Size ?? 0, etag: ETag ?? '' });
          }
        }
        folders.push(...(page.CommonPrefixes ?? []).flatMap(({ Prefix }) => (Prefix === undefined ? [] : [Prefix])));
      }
      return { objects, folders };
    } catch (thrown) {
      throw mapS3Error(thrown, `LIST ${prefix}`, options.signal);
    }
  }

  renewConnections(): void {
    // Destroys the sockets of the handler's agents, not the agents: the next request opens a new one.
    this.client.config.requestHandler.destroy?.();
  }
}

/** The SDK's send options for an optional signal. */
export function abortable(options: { signal?: AbortSignal | undefined }): { abortSignal?: AbortSignal } {
  return options.signal === undefined ? {} : { abortSignal: options.signal };
}

async function* bytesOf(body: unknown, what: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (!(body instanceof Readable)) {
    throw new StoreUnavailableError(`S3 ${what}: the answer has no body`);
  }
  try {
    // The SDK stops listening to the signal once the headers are there.
    yield* signal === undefined ? body : addAbortSignal(signal, body);
  } catch (thrown) {
    throw mapS3Error(thrown, what, signal);
  }
}

function parseContentRange(header: string | undefined): { start: number; total: number } | undefined {
  const found = /^bytes (\d+)-\d+\/(\d+)$/.exec(header ?? '');
  return found === null ? undefined : { start: Number(found[1]), total: Number(found[2]) };
}
