import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  ChecksumAlgorithm,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  NoSuchUpload,
  paginateListParts,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import type { NamedUpload, UploadJournal } from './object-store.ts';
import { abortable } from './s3-object-store.ts';

/** Bytes of a part; S3 takes 10,000 of them. A file of one part is sent in one piece. */
export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 4;

export interface ResumedUploadOptions extends NamedUpload {
  readonly bucket: string;
  /** The file on this machine. */
  readonly path: string;
  readonly journal: UploadJournal;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that S3 has. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Sends a file in parts, where the key is free. What an attempt left that ended before, even with its process, is not sent
 * again: parts that S3 has count where their checksum is that of the file's bytes.
 * @throws whatever the SDK does; 412 when the key is taken
 */
export async function uploadResumed(client: S3Client, options: ResumedUploadOptions): Promise<void> {
  const { journal } = options;
  const file = await open(options.path, 'r');
  try {
    const known = await journal.find(options);
    try {
      await sendAndComplete(client, file, known ?? (await begin(client, options)), options);
    } catch (thrown) {
      // Somebody has ended the upload, or S3 has thrown it away for its age: one more attempt from the start.
      if (!(thrown instanceof NoSuchUpload) || known === undefined) throw thrown;
      await journal.ended(options);
      await sendAndComplete(client, file, await begin(client, options), options);
    }
  } finally {
    await file.close();
  }
}

async function begin(
  client: S3Client,
  { bucket, key, sha256, journal, signal }: ResumedUploadOptions,
): Promise<string> {
  const { UploadId = '' } = await client.send(
    new CreateMultipartUploadCommand({
      Bucket: bucket,
      Key: key,
      Metadata: { sha256 },
      ChecksumAlgorithm: ChecksumAlgorithm.CRC32,
    }),
    abortable({ signal }),
  );
  await journal.begun({ key, sha256 }, UploadId);
  return UploadId;
}

async function sendAndComplete(
  client: S3Client,
  file: FileHandle,
  uploadId: string,
  options: ResumedUploadOptions,
): Promise<void> {
  const { bucket, key, journal, signal, onProgress } = options;
  const upload = { Bucket: bucket, Key: key, UploadId: uploadId };
  const { size } = await file.stat();
  const there = await partsThere(client, upload, signal);
  const parts: CompletedPart[] = [];
  let done = 0;
  const limit = pLimit(PARTS_AT_ONCE);
  const stopped = new AbortController();
  const sending = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal]);
  const sendPart = async (index: number) => {
    sending.throwIfAborted();
    const body = await readPart(file, index * PART_BYTES, Math.min(PART_BYTES, size - index * PART_BYTES));
    const number = index + 1;
    const checksum = base64Crc32(body);
    const old = there.get(number);
    parts[index] = old?.ChecksumCRC32 === checksum ? old : await send(number, body, checksum);
    done += body.length;
    onProgress?.(done);
  };
  const send = async (number: number, body: Buffer, checksum: string): Promise<CompletedPart> => {
    const { ETag } = await client.send(
      new UploadPartCommand({ ...upload, PartNumber: number, Body: body, ChecksumCRC32: checksum }),
      { abortSignal: sending },
    );
    return { PartNumber: number, ETag, ChecksumCRC32: checksum };
  };
  const count = Math.ceil(size / PART_BYTES);
  try {
    await Promise.all(Array.from({ length: count }, (_, index) => limit(sendPart, index)));
  } catch (thrown) {
    // Parts that are on their way would use the file after it was closed.
    stopped.abort(thrown);
    limit.clearQueue();
    throw thrown;
  }
  try {
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, IfNoneMatch: '*', MultipartUpload: { Parts: parts } }),
      abortable({ signal }),
    );
  } catch (thrown) {
    if (isTaken(thrown)) {
      await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      await journal.ended(options);
    }
    throw thrown;
  }
  await journal.ended(options);
}

/** Ends what `uploadResumed` would go on with. */
function isTaken(thrown: unknown): boolean {
  const metadata = (thrown as { $metadata?: { httpStatusCode?: number } }).$metadata;
  return metadata?.httpStatusCode === 412;
}

async function partsThere(
  client: S3Client,
  upload: { Bucket: string; Key: string; UploadId: string },
  signal: AbortSignal | undefined,
): Promise<Map<number, CompletedPart>> {
  const there = new Map<number, CompletedPart>();
  for await (const page of paginateListParts({ client }, upload, abortable({ signal }))) {
    for (const { PartNumber, ETag, ChecksumCRC32 } of page.Parts ?? []) {
      if (PartNumber !== undefined) there.set(PartNumber, { PartNumber, ETag, ChecksumCRC32 });
    }
  }
  return there;
}

async function readPart(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const body = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(body, done, length - done, start + done);
    if (bytesRead === 0) throw new Error('the file became shorter while it was sent');
    done += bytesRead;
  }
  return body;
}

/** As S3's headers have it: big-endian, in base64. */
function base64Crc32(bytes: Uint8Array): string {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes));
  return checksum.toString('base64');
}
