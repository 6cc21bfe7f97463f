import { describe, expect, test } from 'vitest';
import type { Ready, Slot, Stay } from '../../shared/host/slot.ts';
import { statusOf } from '../../shared/host/slot-status.ts';
import { SlotTable } from '../../shared/host/slot-table.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';
import { unusedWorker } from '../support/unused-worker.ts';

const manifest = scriptedManifest('model');
const worker = unusedWorker(0);
const failure = { code: 'FILE_CORRUPT', message: 'another sha256', retryable: false };

function slotIn(state: (stay: Stay, slot: Slot) => Slot['state']): Slot {
  const slot = new SlotTable(new Set(), () => undefined).slotOf(manifest);
  const stay: Stay = { slot, memoryMb: 7, isLoading: false, endingSince: undefined, isLost: false };
  slot.state = state(stay, slot);
  return slot;
}

const readyOf = (stay: Stay): Ready => ({
  kind: 'READY',
  worker,
  stay,
  startedAt: 10,
  readyAt: 20,
  lastUsedAt: 30,
  leases: 2,
});

const statusIn = (state: (stay: Stay, slot: Slot) => Slot['state']) =>
  statusOf(slotIn(state), { stays: false, secondsLeft: undefined, waitsForPermit: false });

const nothingLoaded = { bytesLoaded: 0, bytesTotal: 100, leases: 0, waiting: 0, memoryMb: 0, attempts: 0 };

describe('the status of a model', () => {
  test.each([
    ['DOWNLOADING', 0, 0],
    ['DOWNLOADING', 40, 0.28],
    ['DOWNLOADING', 100, 0.7],
    ['INITIALIZING', 100, 0.7],
    ['WARMING', 100, 0.9],
  ] as const)('while %s with %i of 100 bytes is a progress of %f', (kind, bytesLoaded, progress) => {
    const status = statusIn((stay, slot) => ({
      kind,
      load: {
        slot,
        stay,
        order: 1,
        bytesLoaded,
        startedAt: 10,
        startedAwake: 0,
        progressedAwake: 0,
        bytesResumed: 0,
        rssBeforeMb: undefined,
        isStopped: false,
      },
    }));

    expect(status).toMatchObject({ state: kind, bytesLoaded, bytesTotal: 100, startedAt: 10, memoryMb: 7 });
    expect(status.progress).toBeCloseTo(progress, 9);
  });

  test('counts only what the runtime loads as bytes', () => {
    expect(manifest.files.reduce((sum, { size }) => sum + size, 0)).toBe(150);
    expect(statusIn(() => ({ kind: 'UNLOADED' })).bytesTotal).toBe(100);
  });

  test('when READY tells its leases, memory and times', () => {
    expect(statusIn(readyOf)).toEqual({
      id: 'model',
      version: '1.0.0',
      state: 'READY',
      progress: 1,
      bytesLoaded: 100,
      bytesTotal: 100,
      leases: 2,
      waiting: 0,
      memoryMb: 7,
      heapMb: 0,
      attempts: 0,
      stays: false,
      startedAt: 10,
      readyAt: 20,
      lastUsedAt: 30,
    });
  });

  test('while DRAINING tells the leases that are still out', () => {
    const status = statusIn((stay) => ({ kind: 'DRAINING', cause: 'idle', ready: readyOf(stay), deadline: 40 }));

    expect(status).toMatchObject({ state: 'DRAINING', progress: 1, leases: 2, memoryMb: 7, lastUsedAt: 30 });
  });

  test('after a failure for good tells why', () => {
    const status = statusIn(() => ({ kind: 'FAILED', failure, retryAt: undefined }));

    expect(status).toMatchObject({ state: 'FAILED', progress: 0, error: failure });
    expect(status.nextTryAt).toBeUndefined();
  });

  test('after a failure for now tells when it is tried again', () => {
    expect(statusIn(() => ({ kind: 'FAILED', failure, retryAt: 50 })).nextTryAt).toBe(50);
    expect(statusIn(() => ({ kind: 'QUEUED', order: 1, notBefore: 60 })).nextTryAt).toBe(60);
  });

  test('in the queue for the first time has no such time', () => {
    const status = statusIn(() => ({ kind: 'QUEUED', order: 1, notBefore: 0 }));

    expect(status).toMatchObject({ state: 'QUEUED', progress: 0, ...nothingLoaded });
    expect(status.nextTryAt).toBeUndefined();
  });

  test('before a load is that of nothing', () => {
    expect(statusIn(() => ({ kind: 'UNLOADED' }))).toEqual({
      id: 'model',
      version: '1.0.0',
      state: 'UNLOADED',
      progress: 0,
      stays: false,
      ...nothingLoaded,
    });
  });

  test('of a model without bytes makes no progress while it downloads', () => {
    const slot = slotIn((stay, of) => ({
      kind: 'DOWNLOADING',
      load: {
        slot: of,
        stay,
        order: 1,
        bytesLoaded: 0,
        startedAt: 10,
        startedAwake: 0,
        progressedAwake: 0,
        bytesResumed: 0,
        rssBeforeMb: undefined,
        isStopped: false,
      },
    }));

    expect(statusOf({ ...slot, bytesTotal: 0 }, { stays: true, secondsLeft: 3, waitsForPermit: true })).toMatchObject({
      progress: 0,
      stays: true,
      secondsLeft: 3,
      waitsForPermit: true,
    });
  });
});
