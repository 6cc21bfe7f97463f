import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PublishInvalidError, VersionConflictError } from '../../shared/repository/errors.ts';
import { readManifest } from '../../shared/repository/manifest-store.ts';
import { publishModel } from '../../shared/repository/publisher.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { startBucket } from '../support/s3.ts';

const modelFolder = join(import.meta.dirname, '../../infra/models/translate-en-es');

describe('publishModel on S3', () => {
  let bucket: Awaited<ReturnType<typeof startBucket>>;
  let store: S3PublishingStore;
  let work: string;

  beforeAll(async () => {
    bucket = await startBucket();
    store = new S3PublishingStore(bucket.client, bucket.bucket);
    work = await mkdtemp(join(tmpdir(), 'casalingua-publish-'));
  });

  afterAll(async () => {
    await bucket.close();
    await rm(work, { recursive: true, force: true });
  });

  async function copyAs(name: string, changes: Record<string, unknown> = {}): Promise<string> {
    const folder = join(work, name);
    await cp(modelFolder, folder, { recursive: true });
    const description = JSON.parse(await readFile(join(folder, 'casalingua.json'), 'utf8')) as object;
    await writeFile(join(folder, 'casalingua.json'), JSON.stringify({ ...description, id: name, ...changes }));
    return folder;
  }

  it('publishes the model that comes with the project, with what its own configuration says', async () => {
    const folder = await copyAs('shipped');

    const manifest = await publishModel({ folder, store });

    expect(manifest).toMatchObject({
      id: 'shipped',
      version: '1.0.0',
      task: 'translation',
      prompt: 'marian',
      pairs: [{ source: 'en', target: 'es' }],
      generation: { numBeams: 4, maxNewTokens: 199, lengthPenalty: 1 },
      maxSourceTokens: 256,
      licence: 'CC-BY-4.0',
    });
    expect(Object.fromEntries(manifest.files.map((file) => [file.path, file.role]))).toEqual({
      'README.md': 'other',
      'config.json': 'config',
      'generation_config.json': 'config',
      'onnx/decoder_model_merged_quantized.onnx': 'decoder',
      'onnx/encoder_model_quantized.onnx': 'encoder',
      'tokenizer.json': 'tokenizer',
      'tokenizer_config.json': 'config',
    });
    expect(await readManifest(store, manifest)).toEqual(manifest);
  });

  it('changes nothing when it is repeated', async () => {
    const folder = await copyAs('repeated');
    const first = await publishModel({ folder, store });
    const before = await store.list('models/repeated/');

    const second = await publishModel({ folder, store });

    expect(second).toEqual(first);
    expect(await store.list('models/repeated/')).toEqual(before);
  });

  it('finishes what was interrupted before the manifest', async () => {
    const folder = await copyAs('interrupted');
    const stop = new AbortController();
    const interrupted = publishModel({
      folder,
      store,
      signal: stop.signal,
      onProgress: ({ file, bytesDone, bytesTotal }) => {
        if (file === 'config.json' && bytesDone === bytesTotal) {
          stop.abort(new Error('stopped'));
        }
      },
    });
    await expect(interrupted).rejects.toThrow('stopped');
    expect((await store.list('models/interrupted/')).objects.length).toBeGreaterThan(0);
    await expect(readManifest(store, { id: 'interrupted', version: '1.0.0' })).rejects.toThrow('no manifest');

    const manifest = await publishModel({ folder, store });

    expect(await readManifest(store, manifest)).toEqual(manifest);
  });

  it('refuses other content under a version that exists', async () => {
    const folder = await copyAs('immutable');
    await publishModel({ folder, store });
    const before = await store.list('models/immutable/');
    await writeFile(join(folder, 'tokenizer_config.json'), '{}');

    const again = publishModel({ folder, store });

    await expect(again).rejects.toThrow(VersionConflictError);
    await expect(again).rejects.toThrow('tokenizer_config.json');
    expect(await store.list('models/immutable/')).toEqual(before);
  });

  it('refuses what another publisher left without finishing', async () => {
    const folder = await copyAs('leftover');
    await store.putText('models/leftover/1.0.0/config.json', '{}');

    await expect(publishModel({ folder, store })).rejects.toThrow('config.json is there already with other content');
  });

  it('refuses another description under a version that exists', async () => {
    await publishModel({ folder: await copyAs('described'), store });

    const again = publishModel({ folder: await copyAs('described', { licence: 'MIT' }), store });

    await expect(again).rejects.toThrow(VersionConflictError);
  });

  it('lets one of two different publishers win, whole', async () => {
    const one = await copyAs('raced');
    const other = join(work, 'raced-other');
    await cp(one, other, { recursive: true });
    await writeFile(join(other, 'tokenizer_config.json'), '{}');

    const results = await Promise.allSettled([
      publishModel({ folder: one, store }),
      publishModel({ folder: other, store }),
    ]);

    const published = await readManifest(store, { id: 'raced', version: '1.0.0' }).catch(() => undefined);
    for (const file of published?.files ?? []) {
      expect((await store.head(`models/raced/1.0.0/${file.path}`))?.sha256).toBe(file.sha256);
    }
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(published === undefined ? 0 : 1);
  });

  it('says everything that is missing, and sends nothing', async () => {
    const folder = await copyAs('incomplete');
    await rm(join(folder, 'onnx'), { recursive: true });
    await rm(join(folder, 'tokenizer.json'));

    const publishing = publishModel({ folder, store });

    await expect(publishing).rejects.toThrow(PublishInvalidError);
    await expect(publishing).rejects.toThrow(/no encoder.*no decoder.*no tokenizer/);
    expect((await store.list('models/incomplete/')).objects).toEqual([]);
  });

  it.each([
    ['a description that is missing', undefined, 'casalingua.json is missing'],
    ['a description that is not JSON', '{', 'casalingua.json is not JSON'],
    ['a description with a misspelt member', '{"task":"translation","licens":"MIT"}', 'licens'],
  ])('refuses %s', async (_, text, message) => {
    const folder = await mkdtemp(join(work, 'bad-'));
    if (text !== undefined) {
      await writeFile(join(folder, 'casalingua.json'), text);
    }

    await expect(publishModel({ folder, store })).rejects.toThrow(message);
  });

  it('sends a large file in parts', async () => {
    const folder = await copyAs('large', { roles: { 'big.bin': 'other' } });
    const size = 40 * 1024 * 1024;
    await writeFile(join(folder, 'big.bin'), '');
    await truncate(join(folder, 'big.bin'), size);
    const reported: number[] = [];

    const manifest = await publishModel({
      folder,
      store,
      onProgress: ({ file, bytesDone }) => {
        if (file === 'big.bin') {
          reported.push(bytesDone);
        }
      },
    });

    expect((await store.head('models/large/1.0.0/big.bin'))?.size).toBe(size);
    expect(manifest.files.find((file) => file.path === 'big.bin')?.size).toBe(size);
    expect(reported.at(-1)).toBe(size);
    expect(reported.length).toBeGreaterThan(4);
  });
});
