import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  NoSuchBucket,
  NoSuchKey,
  PutObjectCommand,
  paginateListParts,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3Server } from '../../infra/local/s3/server.ts';
import { s3Client, startBucket } from '../support/s3.ts';

/** What the project needs of S3, by the real SDK with its defaults. */
describe('S3 on loopback', () => {
  let s3: Awaited<ReturnType<typeof startBucket>>;
  const Bucket = 'models';
  const put = (Key: string, Body: Buffer | Readable | string, more = {}) =>
    s3.client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const get = async (Key: string, more = {}) => {
    const answer = await s3.client.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };
  const statusOf = (work: Promise<unknown>) =>
    work.then(
      () => 200,
      (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode,
    );

  beforeAll(async () => {
    s3 = await startBucket();
  });
  afterAll(() => s3.close());

  describe('writing', () => {
    it('stores a streamed body, whose CRC32 follows it, byte for byte', async () => {
      const content = randomBytes(3_000_001);
      const stream = Readable.from([content.subarray(0, 1_000_000), content.subarray(1_000_000)]);

      const written = await put('streamed', stream, { ContentLength: content.length });

      const read = await get('streamed');
      expect(read.bytes.equals(content)).toBe(true);
      expect(read.ChecksumCRC32).toBe(written.ChecksumCRC32);
      expect(read.ETag).toBe(`"${createHash('md5').update(content).digest('hex')}"`);
    });

    it('stores a buffer and an empty body', async () => {
      await put('folder/a b+c ü.txt', 'text', { ContentType: 'text/plain', Metadata: { by: 'me' } });
      await put('empty', Buffer.alloc(0));

      expect(await get('folder/a b+c ü.txt')).toMatchObject({ ContentType: 'text/plain', Metadata: { by: 'me' } });
      expect((await get('empty')).bytes).toHaveLength(0);
    });

    it('refuses bytes that are not what the checksum says, and keeps nothing of them', async () => {
      const wrong = put('wrong', 'the bytes', { ChecksumCRC32: 'AAAAAA==' });

      await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' });

      expect(await statusOf(get('wrong'))).toBe(404);
    });

    it('keeps the old object when an upload breaks off', async () => {
      await put('kept', 'old');
      const ended = new Promise((resolve) => {
        const upload = request(`${s3.endpoint}/${Bucket}/kept`, { method: 'PUT', headers: { 'content-length': 1000 } });
        upload.on('close', resolve).on('error', resolve);
        upload.write('new', () => upload.destroy());
      });

      await ended;

      expect((await get('kept')).bytes.toString()).toBe('old');
    });

    it('writes with If-None-Match only where nothing is', async () => {
      await put('once', 'first', { IfNoneMatch: '*' });

      expect(await statusOf(put('once', 'second', { IfNoneMatch: '*' }))).toBe(412);

      expect((await get('once')).bytes.toString()).toBe('first');
    });

    it('lets one of many concurrent conditional writers in', async () => {
      const writers = Array.from({ length: 8 }, (_, i) => statusOf(put('raced', `writer ${i}`, { IfNoneMatch: '*' })));

      const statuses = await Promise.all(writers);

      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    });

    it('says which bucket is missing', async () => {
      const missing = s3.client.send(new PutObjectCommand({ Bucket: 'nowhere', Key: 'x', Body: 'x' }));

      await expect(missing).rejects.toMatchObject({ name: new NoSuchBucket({ message: '', $metadata: {} }).name });
    });
  });

  describe('reading', () => {
    const content = Buffer.from('0123456789');
    beforeAll(() => put('digits', content));

    it.each([
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=-50', '0123456789', 'bytes 0-9/10'],
      ['bytes=8-50', '89', 'bytes 8-9/10'],
    ])('answers the range %s', async (Range, bytes, contentRange) => {
      const read = await get('digits', { Range });

      expect(read.bytes.toString()).toBe(bytes);
      expect(read.ContentRange).toBe(contentRange);
      expect(read.ContentLength).toBe(bytes.length);
    });

    it('refuses a range beyond the end', async () => {
      await expect(get('digits', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
    });

    it('reads with If-Match only the very object', async () => {
      const { ETag } = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'digits' }));

      expect((await get('digits', { IfMatch: ETag, Range: 'bytes=0-1' })).bytes.toString()).toBe('01');
      expect(await statusOf(get('digits', { IfMatch: '"another"' }))).toBe(412);
    });

    it('tells size and ETag without the bytes', async () => {
      const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'digits' }));

      expect(head).toMatchObject({ ContentLength: 10, ETag: `"${createHash('md5').update(content).digest('hex')}"` });
    });

    it('says that a key is missing', async () => {
      await expect(get('missing')).rejects.toBeInstanceOf(NoSuchKey);
      expect(await statusOf(s3.client.send(new HeadObjectCommand({ Bucket, Key: 'missing' })))).toBe(404);
    });
  });

  describe('listing', () => {
    const keys = ['list/a/1', 'list/a/2', 'list/b/1', 'list/c', 'list/d&e'];
    beforeAll(async () => {
      for (const key of keys.toReversed()) await put(key, key);
    });

    const pages = async (more: object) => {
      const found: string[][] = [];
      let token: string | undefined;
      do {
        const page = await s3.client.send(
          new ListObjectsV2Command({
            Bucket,
            Prefix: 'list/',
            ...more,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        );
        found.push([
          ...(page.CommonPrefixes ?? []).map((prefix) => prefix.Prefix ?? ''),
          ...(page.Contents ?? []).map((object) => object.Key ?? ''),
        ]);
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return found;
    };

    it('gives all keys in order, a page at a time', async () => {
      expect(await pages({ MaxKeys: 2 })).toEqual([keys.slice(0, 2), keys.slice(2, 4), keys.slice(4)]);
    });

    it('gives folders once, over pages too', async () => {
      expect(await pages({ Delimiter: '/' })).toEqual([['list/a/', 'list/b/', 'list/c', 'list/d&e']]);
      expect(await pages({ Delimiter: '/', MaxKeys: 1 })).toEqual([['list/a/'], ['list/b/'], ['list/c'], ['list/d&e']]);
    });
  });

  describe('large objects', () => {
    it('takes 300 MB in parts and gives them back, never holding them in memory', async () => {
      const piece = randomBytes(1_000_000);
      const expected = createHash('sha256');
      function* pieces() {
        for (let i = 0; i < 300; i++) {
          piece.writeUInt32BE(i);
          const copy = Buffer.from(piece);
          expected.update(copy);
          yield copy;
        }
      }
      let peak = 0;
      const watched = () => {
        peak = Math.max(peak, process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed);
      };
      const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
      const upload = new Upload({
        client: s3.client,
        params: { Bucket, Key: 'large', Body: Readable.from(pieces()), IfNoneMatch: '*' },
        partSize: 8_000_000,
        queueSize: 2,
      });
      upload.on('httpUploadProgress', watched);

      const written = await upload.done();

      const answer = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'large', IfMatch: written.ETag }));
      const actual = createHash('sha256');
      for await (const chunk of answer.Body as Readable) {
        actual.update(chunk);
        watched();
      }
      expect(answer.ContentLength).toBe(300_000_000);
      expect(actual.digest('hex')).toBe(expected.digest('hex'));
      expect(written.ETag).toMatch(/-38"$/);
      expect(peak - before).toBeLessThan(200_000_000);
    });

    it('lists the parts that are there, page by page, with the checksums that they were sent with', async () => {
      const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'listed' }));
      const upload = { Bucket, Key: 'listed', UploadId };
      const sent = new Map<number, string | undefined>();
      for (const PartNumber of [3, 1, 2]) {
        const part = await s3.client.send(new UploadPartCommand({ ...upload, PartNumber, Body: `part ${PartNumber}` }));
        sent.set(PartNumber, part.ChecksumCRC32);
      }

      const pages = [];
      for await (const page of paginateListParts({ client: s3.client, pageSize: 2 }, upload))
        pages.push(page.Parts ?? []);

      expect(pages.map((parts) => parts.map(({ PartNumber }) => PartNumber))).toEqual([[1, 2], [3]]);
      for (const part of pages.flat()) {
        expect(part).toMatchObject({ Size: 6, ChecksumCRC32: sent.get(part.PartNumber ?? 0) });
      }
      await s3.client.send(new AbortMultipartUploadCommand(upload));
      const gone = s3.client.send(new ListPartsCommand(upload));
      await expect(gone).rejects.toMatchObject({ name: 'NoSuchUpload' });
    });

    it('leaves nothing of an upload in parts that is given up', async () => {
      const before = await readdir(join(s3.folder, Bucket, 'data'));
      const upload = new Upload({
        client: s3.client,
        params: {
          Bucket,
          Key: 'given-up',
          Body: Readable.from(
            (function* () {
              yield randomBytes(6_000_000);
              yield randomBytes(6_000_000);
              throw new Error('the source broke');
            })(),
          ),
        },
      });

      await expect(upload.done()).rejects.toThrow('the source broke');

      expect(await statusOf(get('given-up'))).toBe(404);
      expect(await readdir(join(s3.folder, Bucket, 'data'))).toEqual(before);
    });
  });

  it('finds its objects again when it is started anew', async () => {
    await put('stays', 'here');
    const again = await startS3Server({ folder: s3.folder });
    const client = s3Client(again.endpoint);

    const read = await client.send(new GetObjectCommand({ Bucket, Key: 'stays' }));

    expect(await read.Body?.transformToString()).toBe('here');
    client.destroy();
    await again.close();
  });
});
