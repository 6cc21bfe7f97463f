import { describe, expect, test } from 'vitest';
import { LoadEstimates } from '../../shared/host/load-estimates.ts';
import type { Slot } from '../../shared/host/slot.ts';
import { SlotTable } from '../../shared/host/slot-table.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

function slotOf(bytesTotal: number): Slot {
  const slot = new SlotTable(new Set(), () => undefined).slotOf(scriptedManifest('model'));
  return { ...slot, bytesTotal };
}

/** A slot whose load began at 0 and has come so far. */
function loading(slot: Slot, bytesLoaded: number, bytesResumed = 0): Slot {
  const stay = { slot, memoryMb: 0, isLoading: true, endingSince: undefined, isLost: false };
  const times = { startedAt: 0, startedAwake: 0, progressedAwake: 0 };
  const load = { slot, stay, order: 1, bytesLoaded, bytesResumed, ...times, rssBeforeMb: undefined, isStopped: false };
  return { ...slot, state: { kind: 'DOWNLOADING', load } };
}

describe('how long a load takes', () => {
  test('is unknown before the first', () => {
    expect(new LoadEstimates().wholeMs(slotOf(100))).toBeUndefined();
  });

  test('is what it took the last time', () => {
    const estimates = new LoadEstimates();
    const slot = slotOf(100);
    estimates.learn(slot, 5_000);
    estimates.learn(slot, 7_000);

    expect(estimates.wholeMs(slot)).toBe(7_000);
  });

  test('is told by its size for one that was never loaded, the newest load weighing most among several', () => {
    const estimates = new LoadEstimates();
    estimates.learn(slotOf(100), 1_000);
    expect(estimates.wholeMs(slotOf(300))).toBe(3_000);
    estimates.learn(slotOf(100), 2_000);

    expect(estimates.wholeMs(slotOf(300))).toBeCloseTo(3_900);
  });

  test('can be learned from a model without bytes', () => {
    const estimates = new LoadEstimates();
    estimates.learn(slotOf(0), 1_000);

    expect(estimates.wholeMs(slotOf(2))).toBe(2_000);
  });
});

describe('what is left of a load', () => {
  test('is all of it before it begins', () => {
    const estimates = new LoadEstimates();
    estimates.learn(slotOf(100), 1_000);

    expect(estimates.leftMs(slotOf(100), 999_999)).toBe(1_000);
  });

  test('is told by its own pace from a tenth on, by earlier loads before', () => {
    const estimates = new LoadEstimates();
    const slot = slotOf(70);
    estimates.learn(slotOf(70), 1_000);

    expect(estimates.leftMs(loading(slot, 9), 400)).toBe(600);
    expect(estimates.leftMs(loading(slot, 10), 400)).toBeCloseTo(3_600);
    expect(estimates.leftMs(loading(slot, 35), 400)).toBeCloseTo(743, 0);
  });

  test('is told by the bytes that came in this attempt, not by those that earlier ones had left on disk', () => {
    const estimates = new LoadEstimates();
    const slot = slotOf(70);

    expect(estimates.leftMs(loading(slot, 35, 35), 400)).toBeUndefined();
    expect(estimates.leftMs(loading(slot, 55, 35), 1_000)).toBeCloseTo(2_250);
    estimates.learn(slot, 9_000);
    expect(estimates.leftMs(loading(slot, 36, 35), 400)).toBe(8_600);
  });

  test('is never less than nothing', () => {
    const estimates = new LoadEstimates();
    estimates.learn(slotOf(70), 1_000);

    expect(estimates.leftMs(loading(slotOf(70), 0), 5_000)).toBe(0);
  });

  test('is unknown when neither tells', () => {
    expect(new LoadEstimates().leftMs(loading(slotOf(70), 0), 5_000)).toBeUndefined();
  });
});
