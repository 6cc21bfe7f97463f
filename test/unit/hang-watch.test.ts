import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HangWatch } from '../../shared/runtime/hang-watch.ts';

const HANG_MS = 30_000;

let hangs: number;
let watch: HangWatch;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  hangs = 0;
  watch = new HangWatch(HANG_MS, () => {
    hangs++;
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a run that was cancelled and goes on for too long hangs, which is told once', () => {
  watch.posted(1);
  watch.cancelled(1);

  vi.advanceTimersByTime(HANG_MS - 1);
  expect(hangs).toBe(0);

  vi.advanceTimersByTime(10 * HANG_MS);
  expect(hangs).toBe(1);
});

test('a run that ends after its cancellation does not hang', () => {
  watch.posted(1);
  watch.cancelled(1);
  vi.advanceTimersByTime(HANG_MS - 1);
  watch.answered(1);

  vi.advanceTimersByTime(HANG_MS);
  expect(hangs).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a run that nobody cancelled may take any time', () => {
  watch.posted(1);

  vi.advanceTimersByTime(100 * HANG_MS);
  expect(hangs).toBe(0);
});

test('a cancelled run that waits behind another has its time from when the thread comes to it', () => {
  watch.posted(1);
  watch.posted(2);
  watch.cancelled(2);
  vi.advanceTimersByTime(100 * HANG_MS);
  watch.answered(1);

  vi.advanceTimersByTime(HANG_MS - 1);
  expect(hangs).toBe(0);
  vi.advanceTimersByTime(1);
  expect(hangs).toBe(1);
});

test('a cancellation that comes after the answer means nothing', () => {
  watch.posted(1);
  watch.answered(1);
  watch.cancelled(1);

  vi.advanceTimersByTime(HANG_MS);
  expect(hangs).toBe(0);
});
