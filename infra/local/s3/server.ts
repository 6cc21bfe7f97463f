import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { closeServer, listenOnLoopback } from '../listen.ts';
import { checkWrite, isNotModified, parseRange } from './conditions.ts';
import { noSuchBucket, noSuchKey, notImplemented, S3Error } from './errors.ts';
import { type ListRequest, listPage } from './list.ts';
import { type Bucket, Buckets, type StoredObject } from './objects.ts';
import { type ReceivedFile, receive } from './receive.ts';
import { Uploads } from './uploads.ts';
import { errorXml, listXml, partsOf, partsXml, xml } from './xml.ts';

export interface S3Server {
  /** For `AWS_ENDPOINT_URL_S3`; an IP address, so the SDK addresses buckets by path. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** One request, taken apart. */
interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly bucketName: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

/**
 * The part of S3 that this project uses, on loopback, over one folder that is kept between runs. Signatures are not
 * checked; lengths, checksums, ranges and preconditions are. @throws PortTakenError
 */
export async function startS3Server(options: { folder: string; port?: number }): Promise<S3Server> {
  const play = new S3Play(new Buckets(options.folder));
  const server = createServer((request, response) => void play.answer(request, response));
  server.requestTimeout = 0;
  const port = await listenOnLoopback(server, options.port ?? 0);
  return { endpoint: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

class S3Play {
  readonly #buckets: Buckets;
  readonly #uploads = new Map<Bucket, Uploads>();

  constructor(buckets: Buckets) {
    this.#buckets = buckets;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-amz-request-id', randomUUID());
    try {
      const url = new URL(request.url ?? '/', 'http://s3');
      const [, bucketName = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
      await this.#route({ request, response, bucketName, key: rest.join('/'), query: url.searchParams });
    } catch (error) {
      refuse(response, error);
    }
  }

  #route(call: Call): Promise<void> | void {
    const { request, response, bucketName, key, query } = call;
    if (bucketName === '') throw notImplemented('Listing buckets');
    if (key === '') {
      if (request.method === 'PUT') {
        this.#buckets.create(bucketName);
        return send(response, 200);
      }
      if (request.method === 'HEAD') {
        if (!this.#buckets.has(bucketName)) throw noSuchBucket();
        return send(response, 200);
      }
      if (request.method === 'GET' && query.get('list-type') === '2') return this.#list(call);
      throw notImplemented(`${request.method} on a bucket`);
    }
    const bucket = this.#buckets.get(bucketName);
    const uploadId = query.get('uploadId');
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return uploadId === null ? read(call, bucket) : this.#listParts(call, bucket, uploadId);
      case 'PUT':
        if (request.headers['x-amz-copy-source'] !== undefined) throw notImplemented('Copying');
        return uploadId === null ? write(call, bucket) : this.#writePart(call, bucket, uploadId);
      case 'POST':
        if (query.has('uploads')) return this.#beginUpload(call, bucket);
        if (uploadId !== null) return this.#completeUpload(call, bucket, uploadId);
        throw notImplemented('POST');
      case 'DELETE':
        if (uploadId !== null) return this.#abortUpload(call, bucket, uploadId);
        bucket.delete(key);
        return send(response, 204);
      default:
        throw notImplemented(String(request.method));
    }
  }

  #list({ response, bucketName, query }: Call): void {
    const request: ListRequest = {
      prefix: query.get('prefix') ?? '',
      delimiter: query.get('delimiter') ?? undefined,
      maxKeys: Math.min(Number(query.get('max-keys') ?? 1000), 1000),
      startAfter: query.get('start-after') ?? undefined,
      continuationToken: query.get('continuation-token') ?? undefined,
    };
    const page = listPage(this.#buckets.get(bucketName).sorted(), request);
    sendXml(response, listXml(bucketName, request, page));
  }

  #uploadsOf(bucket: Bucket): Uploads {
    const known = this.#uploads.get(bucket) ?? new Uploads(bucket);
    this.#uploads.set(bucket, known);
    return known;
  }

  #beginUpload({ request, response, bucketName, key }: Call, bucket: Bucket): void {
    const id = this.#uploadsOf(bucket).begin(key, keptHeaders(request));
    sendXml(
      response,
      xml('InitiateMultipartUploadResult', [
        ['Bucket', bucketName],
        ['Key', key],
        ['UploadId', id],
      ]),
    );
  }

  async #writePart({ request, response, key, query }: Call, bucket: Bucket, uploadId: string): Promise<void> {
    const uploads = this.#uploadsOf(bucket);
    const upload = uploads.get(uploadId, key);
    const part = await receive(request, bucket.path(bucket.newFile()));
    await uploads.addPart(upload, Number(query.get('partNumber')), part);
    send(response, 200, contentHeaders(part));
  }

  #listParts({ response, bucketName, key, query }: Call, bucket: Bucket, uploadId: string): void {
    const { parts } = this.#uploadsOf(bucket).get(uploadId, key);
    const after = Number(query.get('part-number-marker') ?? 0);
    const atMost = Math.min(Number(query.get('max-parts') ?? 1000), 1000);
    const following = [...parts].filter(([number]) => number > after).sort(([a], [b]) => a - b);
    sendXml(
      response,
      partsXml({ bucketName, key, uploadId, page: following.slice(0, atMost), more: following.length > atMost }),
    );
  }

  async #completeUpload({ request, response, bucketName, key }: Call, bucket: Bucket, uploadId: string): Promise<void> {
    const uploads = this.#uploadsOf(bucket);
    const upload = uploads.get(uploadId, key);
    const content = await uploads.assemble(upload, partsOf(await text(request)));
    await publish(request, bucket, key, content, upload.headers);
    await uploads.end(uploadId);
    sendXml(
      response,
      xml('CompleteMultipartUploadResult', [
        ['Bucket', bucketName],
        ['Key', key],
        ['ETag', `"${content.etag}"`],
      ]),
    );
  }

  async #abortUpload({ response, key }: Call, bucket: Bucket, uploadId: string): Promise<void> {
    const uploads = this.#uploadsOf(bucket);
    uploads.get(uploadId, key);
    await uploads.end(uploadId);
    send(response, 204);
  }
}

async function write({ request, response, key }: Call, bucket: Bucket): Promise<void> {
  const content = await receive(request, bucket.path(bucket.newFile()));
  await publish(request, bucket, key, content, keptHeaders(request));
  send(response, 200, contentHeaders(content));
}

/** The write's condition is looked at when the bytes are there: of two writers at once the first to arrive wins. */
async function publish(
  request: IncomingMessage,
  bucket: Bucket,
  key: string,
  { file, size, etag, crc32 }: ReceivedFile,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    checkWrite(request.headers, bucket.get(key)?.etag);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  bucket.put({ key, file: basename(file), size, etag, crc32, headers, modified: Date.now() });
}

async function read({ request, response, key }: Call, bucket: Bucket): Promise<void> {
  const object = bucket.get(key);
  if (object === undefined) throw noSuchKey();
  if (isNotModified(request.headers, object.etag)) return send(response, 304, { etag: `"${object.etag}"` });
  const range = parseRange(request.headers.range, object.size);
  const length = range === undefined ? object.size : range.end - range.start + 1;
  const headers: Record<string, string> = {
    ...object.headers,
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.modified).toUTCString(),
    'accept-ranges': 'bytes',
    'content-length': String(length),
  };
  if (range !== undefined) headers['content-range'] = `bytes ${range.start}-${range.end}/${object.size}`;
  else if (request.headers['x-amz-checksum-mode'] === 'ENABLED') Object.assign(headers, contentHeaders(object));
  const handle = request.method === 'HEAD' || length === 0 ? undefined : await openCurrent(bucket, object);
  response.writeHead(range === undefined ? 200 : 206, headers);
  if (handle === undefined) response.end();
  else await pipeline(handle.createReadStream(range ?? {}), response);
}

/** Opening may lose against a writer that replaces the object at this moment: the client is asked to come again. */
async function openCurrent(bucket: Bucket, object: StoredObject): Promise<FileHandle> {
  try {
    return await open(bucket.path(object.file));
  } catch {
    throw new S3Error(503, 'SlowDown', 'The object was replaced while it was opened.');
  }
}

/** What a client may store beside the bytes. */
function keptHeaders({ headers }: IncomingMessage): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => name === 'content-type' || name.startsWith('x-amz-meta-'));
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

function contentHeaders(content: { readonly etag: string; readonly crc32: string }): Record<string, string> {
  return {
    etag: `"${content.etag}"`,
    'x-amz-checksum-crc32': content.crc32,
    'x-amz-checksum-type': 'FULL_OBJECT',
  };
}

function send(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end();
}

function sendXml(response: ServerResponse, document: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(document);
}

/** After the first byte of an answer nothing can be said any more but by hanging up. */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const refusal =
    error instanceof S3Error ? error : new S3Error(500, 'InternalError', 'We encountered an internal error.');
  const body = response.req.method === 'HEAD' ? '' : errorXml(refusal.code, refusal.message);
  response.writeHead(refusal.status, { 'content-type': 'application/xml' }).end(body);
}
