import { fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FolderUploadJournal } from '../../infra/models/upload-journal.ts';
import { publishModel } from '../../shared/repository/publisher.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { modelFolder } from '../support/real-model.ts';
import { startBucket } from '../support/s3.ts';

const PART = 8 * 1024 * 1024;
const PARTS = 5;
const big = (id: string) => `models/${id}/1.0.0/big.bin`;

describe('an upload that was interrupted', () => {
  let bucket: Awaited<ReturnType<typeof startBucket>>;
  let work: string;
  let folder: string;
  let id: string;
  /** Names of the commands about the big file that S3 was sent. */
  let sent: string[];

  beforeAll(async () => {
    bucket = await startBucket();
    work = await mkdtemp(join(tmpdir(), 'casalingua-resumed-'));
    bucket.client.middlewareStack.add(
      (next, context) => (args) => {
        if ('Key' in args.input && args.input.Key === big(id)) sent.push(String(context.commandName));
        return next(args);
      },
      { step: 'initialize' },
    );
  });
  afterAll(async () => {
    await bucket.close();
    await rm(work, { recursive: true, force: true });
  });

  beforeEach(async ({ task }) => {
    id = task.id.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    folder = join(work, id);
    sent = [];
    await cp(modelFolder['translate-en-es'], folder, { recursive: true });
    const path = join(folder, 'casalingua.json');
    const description = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...description, id, roles: { 'big.bin': 'other' } }));
    await writeFile(join(folder, 'big.bin'), randomBytes(PARTS * PART - 100));
  });

  const store = () => new S3PublishingStore(bucket.client, bucket.bucket, new FolderUploadJournal(folder));
  const partsSent = () => sent.filter((name) => name === 'UploadPartCommand').length;
  const leftovers = async () => (await readdir(folder)).filter((name) => name.startsWith('.'));

  /** Ends the first attempt when so many bytes of the big file are in S3. */
  async function interrupt(atBytes: number): Promise<void> {
    const stop = new AbortController();
    const onProgress = ({ file, bytesDone }: { file: string; bytesDone: number }) => {
      if (file === 'big.bin' && bytesDone >= atBytes) stop.abort(new Error('interrupted'));
    };
    await expect(publishModel({ folder, store: store(), signal: stop.signal, onProgress })).rejects.toThrow(
      'interrupted',
    );
  }

  async function expectPublished(): Promise<void> {
    const range = await store().getRange(big(id), { start: 0, end: PARTS * PART - 100 });
    const chunks: Uint8Array[] = [];
    for await (const chunk of range.chunks) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(await readFile(join(folder, 'big.bin')))).toBe(true);
    expect(await leftovers()).toEqual([]);
  }

  it('goes on where it was, though the process was killed', async () => {
    const child = fork(join(import.meta.dirname, 'publish-child.ts'), [folder, bucket.endpoint, bucket.bucket], {
      execArgv: ['--import', 'tsx'],
    });
    for (let parts = 0; parts < 2; ) parts = ((await once(child, 'message')) as [number])[0];
    child.kill('SIGKILL');
    await once(child, 'exit');

    await publishModel({ folder, store: store() });

    expect(partsSent()).toBeLessThanOrEqual(PARTS - 2);
    expect(sent).not.toContain('CreateMultipartUploadCommand');
    await expectPublished();
  });

  it('begins anew when the file is another, and keeps nothing of the old one', async () => {
    await interrupt(2 * PART);
    await writeFile(join(folder, 'big.bin'), randomBytes(PARTS * PART - 100));
    sent = [];

    await publishModel({ folder, store: store() });

    expect(partsSent()).toBe(PARTS);
    const { files } = JSON.parse(await store().getText(`models/${id}/1.0.0/manifest.json`));
    expect((await store().head(big(id)))?.sha256).toBe(
      files.find(({ path }: { path: string }) => path === 'big.bin').sha256,
    );
  });

  it('sends a part again that is not the file’s', async () => {
    await interrupt(2 * PART);
    const journal = join(folder, '.casalingua-uploads.json');
    const [[name, uploadId] = []] = Object.entries(
      JSON.parse(await readFile(journal, 'utf8')) as Record<string, string>,
    );
    const changed = await readFile(join(folder, 'big.bin'));
    changed[0] = (changed[0] ?? 0) ^ 1;
    await writeFile(join(folder, 'big.bin'), changed);
    // As if the journal were of this file.
    const sha256 = createHash('sha256').update(changed).digest('hex');
    await writeFile(journal, JSON.stringify({ [`${name?.split(' ')[0]} ${sha256}`]: uploadId }));

    sent = [];

    await publishModel({ folder, store: store() });

    expect(partsSent()).toBeLessThanOrEqual(PARTS - 1);
    const range = await store().getRange(big(id), { start: 0, end: 1 });
    for await (const [first] of range.chunks) expect(first).toBe(changed[0]);
  });

  it('begins anew when S3 has thrown the parts away', async () => {
    await interrupt(2 * PART);
    const [uploadId = ''] = Object.values(JSON.parse(await readFile(join(folder, '.casalingua-uploads.json'), 'utf8')));
    const upload = { Bucket: bucket.bucket, Key: big(id), UploadId: String(uploadId) };
    await bucket.client.send(new AbortMultipartUploadCommand(upload));
    sent = [];

    await publishModel({ folder, store: store() });

    expect(partsSent()).toBe(PARTS);
    await expectPublished();
  });

  it('ends without a trace when somebody else has published meanwhile', async () => {
    await interrupt(2 * PART);
    await publishModel({ folder, store: new S3PublishingStore(bucket.client, bucket.bucket) });
    sent = [];

    expect(await store().putFile(big(id), join(folder, 'big.bin'), { sha256: 'of another journal' })).toBe(false);

    expect(sent).toContain('AbortMultipartUploadCommand');
  });
});
