import { describe, expect, test } from 'vitest';
import type { LoadedWorker } from '../../shared/host/model-loader.ts';
import type { Loading, Ready, Slot } from '../../shared/host/slot.ts';
import { statusOf } from '../../shared/host/slot-status.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const manifest = scriptedManifest('model');
const unused = () => Promise.reject(new Error('nobody runs it'));
const worker: LoadedWorker = { run: unused, end: unused };
const ready: Ready = { kind: 'READY', worker, startedAt: 10, readyAt: 20, lastUsedAt: 30, leases: 2 };

const statusIn = (state: Slot['state']) => statusOf({ key: 'model@1.0.0', manifest, state });

describe('the status of a model', () => {
  test.each([
    ['DOWNLOADING', 0, 0],
    ['DOWNLOADING', 40, 0.28],
    ['DOWNLOADING', 100, 0.7],
    ['INITIALIZING', 100, 0.7],
    ['WARMING', 100, 0.9],
  ] as const)('while %s with %i of 100 bytes is a progress of %f', (phase, bytesLoaded, progress) => {
    const abort = new AbortController();
    const loading: Loading = {
      kind: 'LOADING',
      phase,
      bytesLoaded,
      bytesTotal: 100,
      startedAt: 10,
      abort,
      ready: Promise.resolve(ready),
    };

    const status = statusIn(loading);

    expect(status).toMatchObject({ state: phase, bytesLoaded, bytesTotal: 100, leases: 0, startedAt: 10 });
    expect(status.progress).toBeCloseTo(progress, 9);
  });

  test('counts only what the runtime loads as bytes', () => {
    expect(manifest.files.reduce((sum, { size }) => sum + size, 0)).toBe(150);
    expect(statusIn({ kind: 'UNLOADED' }).bytesTotal).toBe(100);
  });

  test('when READY tells its leases and times', () => {
    expect(statusIn(ready)).toEqual({
      id: 'model',
      version: '1.0.0',
      state: 'READY',
      progress: 1,
      bytesLoaded: 100,
      bytesTotal: 100,
      leases: 2,
      startedAt: 10,
      readyAt: 20,
      lastUsedAt: 30,
    });
  });

  test('while DRAINING tells the leases that are still out', () => {
    const draining = { kind: 'DRAINING', ready, drained: Promise.resolve(), onLastRelease: () => undefined } as const;

    expect(statusIn(draining)).toMatchObject({ state: 'DRAINING', progress: 1, leases: 2, lastUsedAt: 30 });
  });

  test('after a failure tells why', () => {
    const error = { code: 'FILE_CORRUPT', message: 'another sha256', retryable: false };

    expect(statusIn({ kind: 'FAILED', error })).toMatchObject({ state: 'FAILED', progress: 0, leases: 0, error });
  });

  test('before a load is that of nothing', () => {
    expect(statusIn({ kind: 'UNLOADED' })).toMatchObject({ state: 'UNLOADED', progress: 0, bytesLoaded: 0, leases: 0 });
  });
});
