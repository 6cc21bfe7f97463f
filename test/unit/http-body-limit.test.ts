import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { limitBody } from '../../shared/http/body-limit.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';

/** In which turn of the event loop each request came to its route, in the order in which they came: all are sent at once. */
async function arrivals(bytes: readonly number[]) {
  let turn = 0;
  let counting = setImmediate(function count() {
    turn += 1;
    counting = setImmediate(count);
  });
  const seen: { bytes: number; turn: number }[] = [];
  const app = new Hono<HttpEnv>().use(limitBody(1_000_000)).post('/', (c) => {
    seen.push({ bytes: Number(c.req.header('content-length')), turn });
    return c.body(null);
  });
  await Promise.all(
    bytes.map((length) => app.request('/', { method: 'POST', headers: { 'content-length': String(length) } })),
  );
  clearImmediate(counting);
  return seen;
}

describe('bodies that are large', () => {
  it('come one after the other, so that others are looked at in between', async () => {
    const seen = await arrivals([100_003, 100_001, 100_002]);

    expect(seen.map(({ bytes }) => bytes)).toEqual([100_003, 100_001, 100_002]);
    expect(new Set(seen.map(({ turn }) => turn)).size).toBe(3);
  });

  it('keep no small one waiting', async () => {
    expect((await arrivals([100_001, 100_002, 10])).map(({ bytes }) => bytes)).toEqual([10, 100_001, 100_002]);
  });
});
