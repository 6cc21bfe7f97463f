import { expect, test } from 'vitest';
import { HeldLoad } from '../../shared/host/held-load.ts';
import { threadsFor } from '../../shared/host/worker-model-loader.ts';
import { manifestOf } from '../property/download-fault-store.ts';
import { observe } from '../support/worker-loads.ts';

test('what a load says before its files are verified is told afterwards, in order', async () => {
  const { observer, told } = observe();
  const load = new HeldLoad(observer, async (onWarming) => {
    onWarming();
    return { heapBytes: 7 };
  });
  await Promise.resolve();
  expect(told).toEqual([]);

  expect(await load.verified()).toEqual({ heapBytes: 7 });

  expect(told).toEqual(['initializing', 'warming']);
});

test('what it says after that is told at once', () => {
  const { observer, told } = observe();
  let onWarming: () => void = () => undefined;
  const load = new HeldLoad(observer, (warming) => {
    onWarming = warming;
    return new Promise(() => undefined);
  });

  void load.verified();
  expect(told).toEqual(['initializing']);
  onWarming();

  expect(told).toEqual(['initializing', 'warming']);
});

test('a load that fails early is nobody’s trouble until its files are verified', async () => {
  const load = new HeldLoad(observe().observer, () => Promise.reject(new Error('refused')));
  await new Promise((resolve) => setImmediate(resolve));

  await expect(load.verified()).rejects.toThrow('refused');
});

test('a manifest says how many threads compute, as far as there are cores', () => {
  const manifest = manifestOf({});
  const wanting = (threads: number) => ({
    ...manifest,
    loading: { order: 'recorded' as const, threads, recordedWith: '' },
  });

  expect([threadsFor(manifest, 3, 2), threadsFor(wanting(2), 1, 4), threadsFor(wanting(8), 1, 4)]).toEqual([3, 2, 4]);
});
