import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ManifestFile, runtimeFiles } from '../../shared/repository/manifest.ts';
import { objectKey } from '../../shared/repository/manifest-store.ts';
import { publishModel } from '../../shared/repository/publisher.ts';
import { SMALL_PART_BYTES } from '../../shared/repository/ranges.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { bundleProgram } from '../bench/programs.ts';
import type { StreamedLoadWord, StreamedLoadWork } from '../integration/streamed-load-child.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { generateModel } from '../support/generated-model.ts';
import type { ModelOnDisk } from '../support/real-model.ts';
import { startBucket } from '../support/s3.ts';

/** Real processes over a real S3: each loads the model while its weights arrive, and is asked once if it comes so far. */

/** What happens to one life of the process. A place is a share of the file, or of all bytes. */
type Trouble =
  | { readonly kind: 'killed'; readonly at: number }
  | {
      readonly kind: 'object damaged';
      readonly file: number;
      readonly at: number;
      readonly how: 'flipped' | 'truncated';
    }
  | { readonly kind: 'answers cut'; readonly at: number; readonly count: number }
  | {
      readonly kind: 'disk damaged';
      readonly file: number;
      readonly at: number;
      readonly how: 'flipped' | 'truncated';
    };

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const how = fc.constantFrom('flipped' as const, 'truncated' as const);
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('killed' as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('object damaged' as const), file: fc.nat(), at: place, how }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('answers cut' as const), at: place, count: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('disk damaged' as const), file: fc.nat(), at: place, how }) },
);

let work: string;
let program: string;
let bucket: Awaited<ReturnType<typeof startBucket>>;
let proxy: FaultProxy;
let model: ModelOnDisk;
let files: readonly ManifestFile[];
let bytesTotal: number;
let rightAnswer: unknown;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'casalingua-streamed-'));
  // It is started some hundred times. Two folders below the project's own, it finds the engine where its source does.
  const source = join(import.meta.dirname, '..', 'integration', 'streamed-load-child.ts');
  program = await bundleProgram(source, join(import.meta.dirname, '..', '..', 'build', 'streamed-load'));
  bucket = await startBucket();
  // Slow enough for a kill to meet it on its way.
  proxy = await startFaultProxy(bucket.endpoint, { bytesPerSecond: 20_000_000 });
  model = await generateModel(join(work, 'model'), { weightsMb: 12, layout: 'external' });
  files = runtimeFiles(model.manifest);
  bytesTotal = files.reduce((sum, { size }) => sum + size, 0);
  await publishModel({ folder: join(work, 'model'), store: new S3PublishingStore(bucket.client, bucket.bucket) });
  await writeFile(join(work, 'manifest.json'), JSON.stringify(model.manifest));
  const { answer } = await life(await mkdtemp(join(work, 'cache-')));
  rightAnswer = answer;
  expect(rightAnswer).toBeDefined();
});
afterAll(async () => {
  await proxy.close();
  await bucket.close();
  await rm(work, { recursive: true, force: true });
});

/** One process, killed when so many bytes are there. */
async function life(cacheFolder: string, killAt = Number.POSITIVE_INFINITY) {
  const { id, version } = model.manifest;
  const told: StreamedLoadWork = {
    bucket: bucket.bucket,
    cacheFolder,
    manifestPath: join(work, 'manifest.json'),
    model: { id, version },
  };
  const child = spawn(process.execPath, [program, JSON.stringify(told)], {
    env: {
      PATH: process.env['PATH'],
      AWS_ENDPOINT_URL_S3: proxy.endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let answer: unknown;
  let failure: string | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const word = JSON.parse(line) as StreamedLoadWord;
    if ('bytes' in word && word.bytes >= killAt) child.kill('SIGKILL');
    if ('answer' in word) answer = word.answer;
    if ('failure' in word) failure = word.failure;
  });
  await once(child, 'close');
  return { answer, failure };
}

async function liveThrough(what: Trouble, cacheFolder: string) {
  switch (what.kind) {
    case 'killed':
      return life(cacheFolder, what.at * bytesTotal);
    case 'object damaged':
      return withDamagedObject(what, () => life(cacheFolder));
    case 'answers cut':
      proxy.faults.cut = what.count;
      proxy.faults.cutAfterBytes = Math.floor(what.at * SMALL_PART_BYTES);
      return life(cacheFolder).finally(() => {
        proxy.faults.cut = 0;
      });
    case 'disk damaged':
      await damageDisk(what, cacheFolder);
      return life(cacheFolder);
  }
}

async function withDamagedObject<Value>(
  { file, at, how }: Extract<Trouble, { kind: 'object damaged' }>,
  work: () => Promise<Value>,
): Promise<Value> {
  const { path } = files[file % files.length] as ManifestFile;
  const good = await readFile(model.files.get(path) ?? '');
  const put = (Body: Uint8Array) =>
    bucket.client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key: objectKey(model.manifest, path), Body }));
  const position = Math.floor(at * good.length);
  const flipped = Uint8Array.from(good);
  flipped[position] = (flipped[position] ?? 0) ^ 1;
  await put(how === 'flipped' ? flipped : good.subarray(0, position));
  try {
    return await work();
  } finally {
    await put(good);
  }
}

/** Whatever lies in the cache folder: files, partial files, their journals, what has been verified. */
async function damageDisk({ file, at, how }: Extract<Trouble, { kind: 'disk damaged' }>, cacheFolder: string) {
  const names = (await readdir(cacheFolder, { recursive: true })).sort();
  const sizes = await Promise.all(names.map(async (name) => stat(join(cacheFolder, name))));
  const candidates = names.filter((_, index) => sizes[index]?.isFile() && (sizes[index]?.size ?? 0) > 0);
  if (candidates.length === 0) return;
  const path = join(cacheFolder, candidates[file % candidates.length] ?? '');
  const position = Math.floor(at * (await stat(path)).size);
  if (how === 'truncated') return truncate(path, position);
  const handle = await open(path, 'r+');
  const byte = new Uint8Array(1);
  await handle.read(byte, 0, 1, position);
  await handle.write(
    byte.map((bits) => bits ^ 1),
    0,
    1,
    position,
  );
  await handle.close();
}

describe('a model that is loaded while its weights arrive', () => {
  test('is never READY with a wrong byte, wherever one is and whenever its process is killed, and always recovers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(trouble, { minLength: 1, maxLength: 3 }), async (troubles) => {
        const cacheFolder = await mkdtemp(join(work, 'cache-'));
        try {
          for (const each of troubles) {
            const { answer, failure } = await liveThrough(each, cacheFolder);
            if (answer !== undefined) expect(answer).toEqual(rightAnswer);
            // What is wrong in S3 alone is final; whatever is wrong on the way or on disk is made good.
            if (failure === 'FILE_CORRUPT') expect(each.kind).toBe('object damaged');
            else if (failure !== undefined) expect(failure).toBe('STORE_UNAVAILABLE');
          }

          expect(await life(cacheFolder)).toEqual({ answer: rightAnswer, failure: undefined });
        } finally {
          await rm(cacheFolder, { recursive: true, force: true });
        }
      }),
      { numRuns: 18 },
    );
  });
});
