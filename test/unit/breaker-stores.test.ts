import { describe, expect, it } from 'vitest';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import { Breakers } from '../../shared/breaker/breakers.ts';
import { guardStores } from '../../shared/fleet/guarded-stores.ts';
import type { Stores } from '../../shared/fleet/stores.ts';
import { ObjectNotFoundError, StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { createStoreRetries } from '../../shared/repository/retry-budget.ts';
import { createFakeSnapshots } from '../support/fake-fleet.ts';
import { HandClock } from '../support/hand-clock.ts';

/** Stores whose calls fail as the test says, behind their breakers. */
function stage() {
  const clock = new HandClock();
  const fault: { now: unknown } = { now: undefined };
  const calls = { text: 0, range: 0, active: 0, table: 0 };
  const call = async <Answer>(name: keyof typeof calls, answer: Answer) => {
    calls[name] += 1;
    if (fault.now !== undefined) throw fault.now;
    return answer;
  };
  const range = { etag: 'e', totalSize: 0, chunks: (async function* () {})() };
  const stores: Stores = {
    objects: {
      getText: () => call('text', 'manifest'),
      list: () => call('text', { objects: [], folders: [] }),
      getRange: () => call('range', range),
      renewConnections: () => {},
    },
    active: { read: () => call('active', new Map()) },
    snapshots: createFakeSnapshots(),
    table: {
      read: () => call('table', undefined),
      query: () => call('table', new Map()),
      update: () => call('table', { kind: 'updated', item: {} }),
    },
    renewConnections: () => {},
    retries: createStoreRetries(),
  };
  const breakers = new Breakers(
    createBreakerClock(() => clock.wall()),
    () => {},
  );
  const guarded = guardStores(stores, breakers);
  const states = () => Object.fromEntries(breakers.report().map(({ name, state }) => [name, state]));
  const text = (times: number) =>
    repeat(times, () => guarded.objects.getText('key', { signal: new AbortController().signal }));
  const part = (times: number, signal?: AbortSignal) =>
    repeat(times, () => guarded.objects.getRange('key', { start: 0, end: 1, ...(signal ? { signal } : {}) }));
  return { clock, fault, calls, guarded, states, text, part };
}

/** What the last call came to. */
async function repeat(times: number, call: () => Promise<unknown>): Promise<unknown> {
  let last: unknown;
  for (let time = 0; time < times; time++) {
    last = await call().then(
      () => 'answered',
      (thrown: unknown) => thrown,
    );
  }
  return last;
}

const away = new StoreUnavailableError('S3 GET: 503');

describe('a store that is away', () => {
  it('is not asked any more after half of ten calls failed, and its callers hear for how long', async () => {
    const { fault, calls, states, text } = stage();
    await text(5);
    fault.now = away;
    await text(5);
    expect(states()).toEqual({ S3: 'OPEN', DynamoDB: 'CLOSED' });

    const refusal = await text(1);

    expect(refusal).toBeInstanceOf(StoreUnavailableError);
    expect(refusal).toMatchObject({ retryable: true, retryAfterSeconds: 10, message: expect.stringContaining('S3') });
    expect(calls.text).toBe(10);
  });

  it('is asked again after ten seconds, once, and then by all', async () => {
    const { clock, fault, calls, text } = stage();
    fault.now = away;
    await text(10);
    clock.pass(10_000);
    expect(await text(1)).toBe(away);
    expect(await text(5)).toMatchObject({ retryAfterSeconds: 10 });
    expect(calls.text).toBe(11);

    fault.now = undefined;
    clock.pass(10_000);

    expect(await text(5)).toBe('answered');
  });

  it('does not take the other store with it', async () => {
    const { fault, calls, guarded, states } = stage();
    fault.now = away;

    await repeat(10, () => guarded.active.read(['a']));

    expect(states()).toEqual({ S3: 'CLOSED', DynamoDB: 'OPEN' });
    expect(await repeat(1, () => guarded.snapshots.readAll())).toBeInstanceOf(StoreUnavailableError);
    const table = [
      () => guarded.table.read({ pk: 'a', sk: 'b' }),
      () => guarded.table.query('a'),
      () => guarded.table.update({ name: 'SET', key: { pk: 'a', sk: 'b' }, condition: undefined, changes: [] }),
    ];
    for (const call of table) expect(await repeat(1, call)).toBeInstanceOf(StoreUnavailableError);
    expect(calls.table).toBe(0);
  });

  it.each([
    ['that an object is not there', new ObjectNotFoundError('x')],
    ['that we may not', new StoreRefusedError('x')],
  ])('is not what answers %s', async (_, answer) => {
    const { fault, states, text } = stage();
    fault.now = answer;

    expect(await text(50)).toBe(answer);

    expect(states()['S3']).toBe('CLOSED');
  });

  it('is what lets a time limit pass, but not what a caller gave up', async () => {
    const { fault, guarded, states } = stage();
    const timedOut = AbortSignal.abort(new DOMException('late', 'TimeoutError'));
    const givenUp = AbortSignal.abort(new DOMException('no', 'AbortError'));
    const read = (signal: AbortSignal) => {
      fault.now = signal.reason;
      return repeat(10, () => guarded.active.read(['a'], { signal }));
    };

    await read(givenUp);
    expect(states()['DynamoDB']).toBe('CLOSED');
    await read(timedOut);

    expect(states()['DynamoDB']).toBe('OPEN');
  });
});

describe('parts of a download', () => {
  it('are fetched though the breaker is open: a download has attempts and pauses of its own', async () => {
    const { fault, calls, states, part } = stage();
    fault.now = away;
    await part(10);
    expect(states()['S3']).toBe('OPEN');

    fault.now = undefined;

    expect(await part(1)).toBe('answered');
    expect(calls.range).toBe(11);
  });

  it('are the probe when it is time for one', async () => {
    const { clock, fault, states, part } = stage();
    fault.now = away;
    await part(10);
    fault.now = undefined;
    clock.pass(10_000);

    await part(1);

    expect(states()['S3']).toBe('CLOSED');
  });

  it('that were ended from here, as at a thaw, say nothing of the store', async () => {
    const { fault, states, part } = stage();
    const frozen = new StoreUnavailableError('the instance was frozen');
    fault.now = frozen;

    await part(50, AbortSignal.abort(frozen));

    expect(states()['S3']).toBe('CLOSED');
  });
});
