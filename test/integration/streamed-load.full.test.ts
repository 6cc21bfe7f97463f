import { mkdtemp, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ObjectChangedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { withEngineChange } from '../support/faulty-engine.ts';
import { folderStore } from '../support/folder-store.ts';
import { answerOf, failureOf, LAST_PART, StreamedLoads } from '../support/streamed-loads.ts';
import { holds, threads } from '../support/worker-loads.ts';

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

test('a session counts what an earlier attempt has left', async () => {
  const missing = await stage.giveUpAfterFirstPart(cacheFolder);
  using heard = stage.listening();
  const starts: number[] = [];
  const store = stage.storeWith(async ({ start }, answered) => {
    starts.push(start);
    await heard.asks(1);
    return answered();
  });

  const worker = await stage.load(store, cacheFolder, { engine: heard.engine });

  expect(starts).toEqual(missing);
  expect(await answerOf(worker)).toEqual(stage.answer);
  await worker.end();
});

describe('weights that', () => {
  test('do not come end the session that waits for them', async () => {
    using heard = stage.listening();
    const store = stage.storeWith(async ({ start }, answered) => {
      if (start < LAST_PART) return answered();
      await heard.asks(3);
      throw new StoreUnavailableError('S3 is away');
    });

    const { failure, told } = await failureOf((observer) =>
      stage.load(store, cacheFolder, { engine: heard.engine, observer }),
    );

    expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, message: 'S3 is away' });
    expect(told).toEqual([]);
  });

  test('are wrong and make the engine refuse the model fail it as corrupt: what else they are is not known', async () => {
    const engine = withEngineChange(stage.engine, 'module._OrtCreateSession = () => 0;');
    const store = folderStore(stage.folder, (bytes, name) => (name === 'weights.bin' ? bytes.toReversed() : bytes));

    const { failure, told } = await failureOf((observer) => stage.load(store, cacheFolder, { engine, observer }));

    expect(failure).toMatchObject({ code: 'FILE_CORRUPT' });
    expect(told).toEqual([]);
  });

  test('were spoilt on disk since an earlier attempt are fetched again, and the session is created again', async () => {
    await stage.giveUpAfterFirstPart(cacheFolder);
    const [partial = ''] = (await readdir(join(cacheFolder, '.partial'))).filter((name) => name.includes('~nobody~'));
    const data = await open(join(cacheFolder, '.partial', partial, 'data'), 'r+');
    await data.write(new Uint8Array(100).fill(7), 0, 100, 2 ** 19);
    await data.close();
    using heard = stage.listening();
    const store = stage.storeWith(async ({ start }, answered) => {
      if (start === LAST_PART) await heard.asks(3);
      return answered();
    });

    const worker = await stage.load(store, cacheFolder, { engine: heard.engine });

    expect(await answerOf(worker)).toEqual(stage.answer);
    expect(threads()).toBe(1);
    await heard.asks(6);
    await worker.end();
  });

  test('were replaced in S3 meanwhile are fetched again, and the session is created again', async () => {
    using heard = stage.listening();
    let isReplaced = false;
    const store = stage.storeWith(async ({ start, ifMatch }, answered) => {
      if (start === LAST_PART && !isReplaced) {
        await heard.asks(2);
        isReplaced = true;
        throw new ObjectChangedError('412');
      }
      expect(isReplaced && start === 0 ? ifMatch : undefined).toBeUndefined();
      return answered();
    });

    const worker = await stage.load(store, cacheFolder, { engine: heard.engine });

    expect(await answerOf(worker)).toEqual(stage.answer);
    await worker.end();
  });
});
