import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { SpareWorker } from '../../shared/runtime/spare-worker.ts';
import { folderStore } from '../support/folder-store.ts';
import { answerOf, failureOf, LAST_PART, StreamedLoads, untilAborted } from '../support/streamed-loads.ts';
import { holds, observe, threads } from '../support/worker-loads.ts';

/** Real workers that create their sessions while the weights are on their way. */

let stage: StreamedLoads;
beforeAll(async () => {
  stage = await StreamedLoads.start();
});
afterAll(() => stage.close());

let cacheFolder: string;
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(stage.work, 'cache-'));
});
/** Whatever happened: no thread is left, no hold on the files, no file open. */
afterEach(async () => {
  expect([threads(), await holds(cacheFolder, stage.model.manifest), stage.openFiles()]).toEqual([0, 0, []]);
});

describe('a session', () => {
  test('is created while the weights arrive, and the model READY when they are verified', async () => {
    using heard = stage.listening();
    const { observer, told } = observe();
    let toldBefore: readonly string[] | undefined;
    const store = stage.storeWith(async ({ start }, answered) => {
      if (start === LAST_PART) {
        await heard.asks(3);
        toldBefore = [...told];
      }
      return answered();
    });

    const worker = await stage.load(store, cacheFolder, { engine: heard.engine, observer });

    expect(toldBefore).toEqual([]);
    expect(told).toEqual(['initializing', 'warming']);
    expect(await answerOf(worker)).toEqual(stage.answer);
    await worker.end();
  });

  test('asks for the weights in the order of their file, also in a thread that has rehearsed', async () => {
    using heard = stage.listening();
    const spare = new SpareWorker(heard.engine);

    const worker = await stage.load(folderStore(stage.folder), cacheFolder, { engine: heard.engine, spare });

    await heard.asks(3);
    expect(heard.asked).toEqual([...heard.asked].sort((one, other) => one - other));
    expect(await answerOf(worker)).toEqual(stage.answer);
    await worker.end();
  });

  test('is created from disk, without S3, when the model comes back', async () => {
    await (await stage.load(folderStore(stage.folder), cacheFolder)).end();
    const away = {
      ...folderStore(stage.folder),
      getRange: () => Promise.reject(new StoreUnavailableError('S3 is away')),
    };

    const worker = await stage.load(away, cacheFolder);

    expect(await answerOf(worker)).toEqual(stage.answer);
    expect(stage.openFiles()).toEqual([]);
    await worker.end();
  });
});

describe('weights that', () => {
  test('turn out to be wrong when the session is there fail the load for good', async () => {
    using heard = stage.listening();
    const store = stage.storeWith(async ({ start }, answered) => {
      if (start === LAST_PART) await heard.asks(3);
      const { chunks, ...rest } = await answered();
      async function* wrong() {
        for await (const chunk of chunks) yield chunk.map((byte, at) => (at === 1000 ? byte ^ 1 : byte));
      }
      return start === 0 ? { ...rest, chunks: wrong() } : { ...rest, chunks };
    });

    const { failure, told } = await failureOf((observer) =>
      stage.load(store, cacheFolder, { engine: heard.engine, observer }),
    );

    expect(failure).toMatchObject({ code: 'FILE_CORRUPT', retryable: false });
    expect(told).toEqual([]);
  });

  test('nobody wants any more end the session that waits for them', async () => {
    using heard = stage.listening();
    const given = new AbortController();
    const store = stage.storeWith(async ({ start, signal }, answered) => {
      if (start < LAST_PART) return answered();
      await heard.asks(3);
      queueMicrotask(() => given.abort(new Error('timed out')));
      return untilAborted(signal);
    });

    const { failure, told } = await failureOf((observer) =>
      stage.load(store, cacheFolder, { engine: heard.engine, observer, signal: given.signal }),
    );

    expect(failure.message).toBe('timed out');
    expect(told).toEqual([]);
  });
});
