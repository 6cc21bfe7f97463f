import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { awaitNews } from '../../shared/fleet/breaker/fleet-news.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const fleet = (isStale: boolean, look: (done: (isRead: boolean) => void) => void) => ({ isStale: () => isStale, look });

it('a request does not wait for the fleet where enough is known of it', () => {
  const look = vi.fn();
  expect(awaitNews(fleet(false, look))).toBeUndefined();
  expect(look).not.toHaveBeenCalled();
});

it('a request waits for a look at the fleet, and no longer', async () => {
  const news = awaitNews(fleet(true, (done) => setTimeout(done, 10, true)));
  await vi.advanceTimersByTimeAsync(10);
  await news;
  expect(vi.getTimerCount()).toBe(0);
});

it('a request goes on after 25 ms though the store has not answered', async () => {
  const wentOn = vi.fn();
  void awaitNews(fleet(true, () => {}))?.then(wentOn);
  await vi.advanceTimersByTimeAsync(24);
  expect(wentOn).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(wentOn).toHaveBeenCalled();
});
