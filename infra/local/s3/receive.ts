import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { badDigest, incompleteBody, notImplemented, S3Error } from './errors.ts';

export interface ReceivedFile {
  readonly file: string;
  readonly size: number;
  /** Hex of the content's MD5, without quotes. */
  readonly etag: string;
  /** Base64 of the big-endian CRC32, as S3's headers have it. */
  readonly crc32: string;
}

/**
 * Streams a request's body into a file and verifies whatever the client said of it (length, CRC32, SHA-1, SHA-256, MD5),
 * in headers or in the trailer of an `aws-chunked` body. The file is gone when this throws.
 * @throws S3Error BadDigest, IncompleteBody, NotImplemented
 */
export async function receive(request: IncomingMessage, file: string): Promise<ReceivedFile> {
  const { headers } = request;
  const chunked = String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-');
  const trailers = new Map<string, string>();
  const hashes = { md5: createHash('md5'), sha1: createHash('sha1'), sha256: createHash('sha256') };
  const announced = () => ({ ...headers, ...Object.fromEntries(trailers) });
  const wants = (name: string) =>
    headers[`x-amz-checksum-${name}`] !== undefined || headers['x-amz-trailer'] === `x-amz-checksum-${name}`;
  const wanted = (['sha1', 'sha256'] as const).filter(wants);
  let size = 0;
  let crc = 0;

  const source: AsyncIterable<Buffer> = chunked ? decodeChunks(request, trailers) : request;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      size += chunk.length;
      crc = crc32(chunk, crc);
      hashes.md5.update(chunk);
      for (const name of wanted) hashes[name].update(chunk);
      yield chunk;
    }
  }

  try {
    for (const name of ['crc32c', 'crc64nvme']) if (wants(name)) throw notImplemented(`The checksum ${name}`);
    await pipeline(counted(), createWriteStream(file));
    const md5 = hashes.md5.digest();
    const received = { file, size, etag: md5.toString('hex'), crc32: base64OfCrc(crc) };
    const said = announced();
    const length = headers['x-amz-decoded-content-length'] ?? headers['content-length'];
    if (length !== undefined && Number(length) !== size) throw incompleteBody();
    expectDigest(said['x-amz-checksum-crc32'], received.crc32);
    expectDigest(said['content-md5'], md5.toString('base64'));
    for (const name of wanted) expectDigest(said[`x-amz-checksum-${name}`], hashes[name].digest('base64'));
    return received;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** A CRC32 as S3 writes it. */
export function base64OfCrc(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

function expectDigest(said: string | string[] | undefined, actual: string): void {
  if (said !== undefined && said !== actual) throw badDigest();
}

/** What the next bytes of an `aws-chunked` body are. */
type ChunkPhase = 'size' | 'data' | 'line end' | 'trailers';

/** The content of an `aws-chunked` body; what follows the last chunk is put into `trailers`. @throws S3Error IncompleteBody */
async function* decodeChunks(source: AsyncIterable<Buffer>, trailers: Map<string, string>): AsyncGenerator<Buffer> {
  let buffered: Buffer = Buffer.alloc(0);
  let left = 0;
  let phase = 'size' as ChunkPhase;
  for await (const piece of source) {
    buffered = buffered.length === 0 ? piece : Buffer.concat([buffered, piece]);
    for (;;) {
      if (phase === 'data') {
        if (buffered.length === 0) break;
        const part = buffered.subarray(0, left);
        buffered = buffered.subarray(part.length);
        left -= part.length;
        if (left === 0) phase = 'line end';
        yield part;
        continue;
      }
      const end = buffered.indexOf('\r\n');
      if (end < 0) break;
      const line = buffered.toString('latin1', 0, end);
      buffered = buffered.subarray(end + 2);
      if (phase === 'line end') {
        phase = 'size';
      } else if (phase === 'size') {
        if (!/^[0-9a-f]+(;|$)/i.test(line)) throw new S3Error(400, 'InvalidRequest', 'The chunked body is malformed.');
        left = Number.parseInt(line, 16);
        phase = left === 0 ? 'trailers' : 'data';
      } else if (line !== '') {
        const colon = line.indexOf(':');
        trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
      }
    }
  }
  if (phase !== 'trailers') throw incompleteBody();
}
