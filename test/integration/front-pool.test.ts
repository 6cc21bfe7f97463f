import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pool, type PoolEffect } from '../../infra/local/front/pool.ts';

const request = (id: string) => ({ type: 'requested', request: id }) as const;
const asked = (instance: string) => ({ type: 'asked', instance }) as const;
const answered = (instance: string) => ({ type: 'answered', instance }) as const;
const ended = (instance: string) => ({ type: 'ended', instance }) as const;

const opened = { type: 'opened' } as const;
const expired = (instance: string) => ({ type: 'expired', instance }) as const;

/** A pool with one provisioned instance, initialised and frozen. */
function poolWithProvisioned(max: number): Pool {
  const pool = new Pool('f', max, 1);
  for (const event of [opened, asked('f-1')]) pool.handle(event);
  return pool;
}

/** A pool whose first instance has served one request and is frozen. */
function poolWithIdle(max: number): Pool {
  const pool = new Pool('f', max);
  for (const event of [request('r0'), asked('f-1'), answered('f-1'), asked('f-1')]) pool.handle(event);
  return pool;
}

describe('the pool of instances', () => {
  it('starts an instance for the first request and gives it the request when it asks', () => {
    const pool = new Pool('f', 1);

    expect(pool.handle(request('a'))).toEqual([{ type: 'start', instance: 'f-1', inRequest: false }]);
    expect(pool.handle(asked('f-1'))).toEqual([{ type: 'invoke', instance: 'f-1', request: 'a' }]);
  });

  it('freezes an instance once it has answered and asks again, not before', () => {
    const pool = new Pool('f', 1);
    pool.handle(request('a'));
    pool.handle(asked('f-1'));

    expect(pool.handle(answered('f-1'))).toEqual([]);
    expect(pool.handle(asked('f-1'))).toEqual([{ type: 'freeze', instance: 'f-1' }]);
  });

  it('wakes a frozen instance rather than starting another', () => {
    expect(poolWithIdle(2).handle(request('b'))).toEqual([{ type: 'invoke', instance: 'f-1', request: 'b' }]);
  });

  it('takes the instance that worked last', () => {
    const pool = new Pool('f', 2);
    for (const event of [request('a'), request('b'), asked('f-1'), asked('f-2')]) pool.handle(event);
    for (const event of [answered('f-2'), asked('f-2'), answered('f-1'), asked('f-1')]) pool.handle(event);

    expect(pool.handle(request('c'))).toEqual([{ type: 'invoke', instance: 'f-1', request: 'c' }]);
  });

  it('throttles what finds every instance at work', () => {
    const pool = new Pool('f', 1);
    pool.handle(request('a'));

    expect(pool.handle(request('b'))).toEqual([{ type: 'throttle', request: 'b' }]);
  });

  it('keeps a request for an instance that has answered and is about to ask', () => {
    const pool = new Pool('f', 1);
    for (const event of [request('a'), asked('f-1'), answered('f-1')]) pool.handle(event);

    expect(pool.handle(request('b'))).toEqual([]);
    expect(pool.handle(request('c'))).toEqual([{ type: 'throttle', request: 'c' }]);
    expect(pool.handle(asked('f-1'))).toEqual([{ type: 'invoke', instance: 'f-1', request: 'b' }]);
  });

  it('starts another for a request that was kept for an instance which ended instead', () => {
    const pool = new Pool('f', 1);
    for (const event of [request('a'), asked('f-1'), answered('f-1'), request('b')]) pool.handle(event);

    expect(pool.handle(ended('f-1'))).toEqual([{ type: 'start', instance: 'f-2', inRequest: false }]);
  });

  it('tries a failed initialisation once more in the time of the request, then fails it', () => {
    const pool = new Pool('f', 1);
    pool.handle(request('a'));

    expect(pool.handle(ended('f-1'))).toEqual([{ type: 'start', instance: 'f-2', inRequest: true }]);
    expect(pool.handle(ended('f-2'))).toEqual([{ type: 'fail', request: 'a' }]);
    expect(pool.handle(request('b'))).toEqual([{ type: 'start', instance: 'f-3', inRequest: false }]);
  });

  it('fails the request of an instance that ends in the middle of it', () => {
    const pool = poolWithIdle(1);
    pool.handle(request('b'));

    expect(pool.handle(ended('f-1'))).toEqual([{ type: 'fail', request: 'b' }]);
  });

  it('ends an instance that was idle for long, but not one that has work again', () => {
    const pool = poolWithIdle(1);

    expect(pool.handle(expired('f-1'))).toEqual([{ type: 'end', instance: 'f-1' }]);
    pool.handle(request('b'));
    expect(pool.handle(expired('f-1'))).toEqual([]);
  });
});

describe('provisioned instances', () => {
  it('start when the pool opens, all at once and before any request', () => {
    const pool = new Pool('f', 3, 2);

    expect(pool.handle(opened)).toEqual([
      { type: 'provision', instance: 'f-1' },
      { type: 'provision', instance: 'f-2' },
    ]);
  });

  it('never start beyond the limit', () => {
    expect(new Pool('f', 1, 2).handle(opened)).toEqual([{ type: 'provision', instance: 'f-1' }]);
  });

  it('are frozen when they ask for their first request', () => {
    const pool = new Pool('f', 1, 1);
    pool.handle(opened);

    expect(pool.handle(asked('f-1'))).toEqual([{ type: 'freeze', instance: 'f-1' }]);
    expect(pool.handle(request('a'))).toEqual([{ type: 'invoke', instance: 'f-1', request: 'a' }]);
  });

  it('get no request while they initialise: another is started for it, if there is room', () => {
    const pool = new Pool('f', 2, 1);
    pool.handle(opened);

    expect(pool.handle(request('a'))).toEqual([{ type: 'start', instance: 'f-2', inRequest: false }]);
    expect(pool.handle(request('b'))).toEqual([{ type: 'throttle', request: 'b' }]);
  });

  it('are taken before others, even those that worked later', () => {
    const pool = poolWithProvisioned(2);
    for (const event of [request('a'), request('b'), asked('f-2')]) pool.handle(event);
    for (const event of [answered('f-1'), asked('f-1'), answered('f-2'), asked('f-2')]) pool.handle(event);

    expect(pool.handle(request('c'))).toEqual([{ type: 'invoke', instance: 'f-1', request: 'c' }]);
  });

  it('stay, however long they are idle', () => {
    expect(poolWithProvisioned(1).handle(expired('f-1'))).toEqual([]);
  });

  it('are replaced when they end', () => {
    expect(poolWithProvisioned(1).handle(ended('f-1'))).toEqual([{ type: 'provision', instance: 'f-2' }]);
  });

  it('are replaced when they end in the middle of a request, which fails', () => {
    const pool = poolWithProvisioned(1);
    pool.handle(request('a'));

    expect(pool.handle(ended('f-1'))).toEqual([
      { type: 'fail', request: 'a' },
      { type: 'provision', instance: 'f-2' },
    ]);
  });

  it('are replaced after the request that waited for them has its instance, as soon as there is room', () => {
    const pool = poolWithProvisioned(1);
    for (const event of [request('a'), answered('f-1'), request('b')]) pool.handle(event);

    expect(pool.handle(ended('f-1'))).toEqual([{ type: 'start', instance: 'f-2', inRequest: false }]);
    for (const event of [asked('f-2'), answered('f-2'), asked('f-2')]) pool.handle(event);
    expect(pool.handle(expired('f-2'))).toEqual([{ type: 'end', instance: 'f-2' }]);
    expect(pool.handle(ended('f-2'))).toEqual([{ type: 'provision', instance: 'f-3' }]);
  });

  it('are not tried again when they fail to initialise: requests start their own', () => {
    const pool = new Pool('f', 1, 1);
    pool.handle(opened);

    expect(pool.handle(ended('f-1'))).toEqual([]);
    expect(pool.handle(request('a'))).toEqual([{ type: 'start', instance: 'f-2', inRequest: false }]);
  });

  it('end with the pool and are not replaced then', () => {
    const pool = poolWithProvisioned(1);

    expect(pool.handle({ type: 'closed' })).toEqual([{ type: 'end', instance: 'f-1' }]);
    expect(pool.handle(ended('f-1'))).toEqual([]);
  });
});

describe('every history', () => {
  it('answers every request exactly once and keeps to its limits, whatever happens in whatever order', () => {
    const step = fc.tuple(fc.constantFrom('requested', 'asked', 'answered', 'ended', 'expired'), fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 3 }), fc.nat(3), (steps, max, kept) => {
        const pool = new Pool('f', max, kept);
        const provisioned = new Set<string>();
        const working = new Map<string, string>();
        const frozen = new Set<string>();
        const outcomes = new Map<string, number>();
        let requests = 0;
        let closed = false;
        const settle = (id: string) => outcomes.set(id, (outcomes.get(id) ?? 0) + 1);
        const apply = (effects: PoolEffect[]) => {
          for (const effect of effects) {
            if (effect.type === 'invoke') {
              expect(working.has(effect.instance)).toBe(false);
              frozen.delete(effect.instance);
              working.set(effect.instance, effect.request);
            }
            if (effect.type === 'provision') provisioned.add(effect.instance);
            if (effect.type === 'end') expect(closed || !provisioned.has(effect.instance)).toBe(true);
            if (effect.type === 'freeze') frozen.add(effect.instance);
            if (effect.type === 'fail' || effect.type === 'throttle') settle(effect.request);
          }
        };
        const act = (type: string, instance: string) => {
          if (type === 'answered') {
            const answeredRequest = working.get(instance);
            if (answeredRequest === undefined) return;
            settle(answeredRequest);
            working.delete(instance);
            apply(pool.handle(answered(instance)));
          } else if (type === 'asked') {
            // A child asks only when it is awake and has nothing in hand.
            if (!working.has(instance) && !frozen.has(instance)) apply(pool.handle(asked(instance)));
          } else if (type === 'ended') {
            working.delete(instance);
            frozen.delete(instance);
            provisioned.delete(instance);
            apply(pool.handle(ended(instance)));
          } else apply(pool.handle(expired(instance)));
        };

        apply(pool.handle(opened));
        for (const [type, which] of steps) {
          if (type === 'requested') {
            requests += 1;
            apply(pool.handle(request(`r${requests}`)));
          } else {
            const ids = [...pool.states().keys()];
            const instance = ids[which % Math.max(1, ids.length)];
            if (instance !== undefined) act(type, instance);
          }
          expect(pool.states().size).toBeLessThanOrEqual(max);
          expect(provisioned.size).toBeLessThanOrEqual(kept);
        }
        closed = true;
        apply(pool.handle({ type: 'closed' }));
        for (const id of [...pool.states().keys()]) act('ended', id);

        expect(pool.states().size).toBe(0);
        expect([...outcomes.values()].every((count) => count === 1)).toBe(true);
        expect(outcomes.size).toBe(requests);
      }),
    );
  });
});
