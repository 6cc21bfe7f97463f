import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ReadAnswer, UpdateAnswer } from '../../shared/fleet/table/fleet-table.ts';
import { createTableCalls } from '../../shared/fleet/table/table-calls.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import type { LogFields } from '../../shared/observability/log.ts';
import { StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { VirtualTable } from '../support/virtual-table.ts';

const key = { pk: 'P', sk: 'S' };
const count = {
  name: 'COUNT',
  key,
  condition: undefined,
  changes: [{ kind: 'add', attribute: 'n', value: 1 }],
} as const;

/** Calls over a table in memory that fails as the test says, and a clock that it moves. */
function stage() {
  const virtual = new VirtualTable();
  let fault: unknown;
  let isHanging = false;
  const answer = async <Answer>(get: () => Answer): Promise<Answer> => {
    if (isHanging) return new Promise<never>(() => {});
    if (fault !== undefined) throw fault;
    return get();
  };
  const store: TableStore = {
    read: (at) => answer(() => virtual.read(at).item),
    query: (pk) => answer(() => virtual.query(pk).items),
    update: (update) => answer(() => virtual.apply(update)),
  };
  let now = 1_000_000;
  const lines: { readonly event: string; readonly fields: LogFields | undefined }[] = [];
  const budgets: { readonly ms: number; readonly controller: AbortController }[] = [];
  const table = createTableCalls({
    store,
    clock: { now: () => now },
    timeoutMs: 100,
    firstTimeoutMs: 2_000,
    log: { error: (event, fields) => void lines.push({ event, fields }) },
    abortedAfter: (ms) => {
      const controller = new AbortController();
      budgets.push({ ms, controller });
      return controller.signal;
    },
  });
  return {
    table,
    lines,
    budgets: () => budgets.map(({ ms }) => ms),
    giveUp: () => budgets.at(-1)?.controller.abort(new DOMException('late', 'TimeoutError')),
    pass: (ms: number) => {
      now += ms;
    },
    fail: (thrown: unknown) => {
      fault = thrown;
    },
    hang: () => {
      isHanging = true;
    },
    update: () => new Promise<UpdateAnswer>((resolve) => table.update(count, resolve)),
    read: () => new Promise<ReadAnswer>((resolve) => table.read(key, resolve)),
  };
}

describe('a call of the table', () => {
  it('is answered in a later step, also when the store knows at once that it cannot', async () => {
    const { table, fail } = stage();
    const answers: string[] = [];

    table.update(count, ({ kind }) => answers.push(kind));
    table.read(key, ({ kind }) => answers.push(kind));
    table.query('P', ({ kind }) => answers.push(kind));
    expect(answers).toEqual([]);
    await table.pending();
    expect(answers).toEqual(['updated', 'read', 'read']);

    fail(new StoreUnavailableError('DynamoDB failed too often to be asked now'));
    table.update(count, ({ kind }) => answers.push(kind));
    expect(answers).toHaveLength(3);
    await table.pending();
    expect(answers).toHaveLength(4);
  });

  it('hands over what the store says', async () => {
    const { table, update, read } = stage();

    expect(await update()).toEqual({ kind: 'updated', item: { n: 1 } });
    expect(await read()).toEqual({ kind: 'read', item: { n: 1 } });
    const items = await new Promise((resolve) => table.query('P', resolve));
    expect(items).toEqual({ kind: 'read', items: new Map([['S', { n: 1 }]]) });
  });

  it('has 100 ms, and 2 s when the connection has to be made: at first, after a minute of silence, and until one succeeds', async () => {
    const { update, fail, pass, budgets } = stage();

    await update();
    await update();
    pass(59_999);
    await update();
    pass(60_000);
    fail(new StoreUnavailableError('no'));
    await update();
    fail(undefined);
    await update();
    await update();

    expect(budgets()).toEqual([2_000, 100, 100, 2_000, 2_000, 100]);
  });

  it('has 2 s for a read without which nobody can go on', async () => {
    const { table, read, budgets } = stage();
    await read();

    await new Promise<ReadAnswer>((resolve) => table.read(key, resolve, { isNeeded: true }));
    await read();

    expect(budgets()).toEqual([2_000, 2_000, 100]);
  });

  it('pays for the connection again when the clock was set back', async () => {
    const { update, pass, budgets } = stage();
    await update();
    pass(-3_600_000);
    await update();
    expect(budgets()).toEqual([2_000, 2_000]);
  });

  it('ends as unavailable when its time is over, even if the store listens to nothing', async () => {
    const { update, hang, giveUp, lines } = stage();
    hang();
    const answer = update();
    giveUp();
    expect(await answer).toEqual({ kind: 'unavailable' });
    expect(lines).toEqual([]);
  });

  it('ends as unavailable without a word in the log when the store is away', async () => {
    const { read, fail, lines } = stage();
    fail(new StoreUnavailableError('throttled'));
    expect(await read()).toEqual({ kind: 'unavailable' });
    expect(lines).toEqual([]);
  });

  it.each([
    [
      'may not be made',
      new StoreRefusedError('DynamoDB: AccessDenied', { cause: new Error('no dynamodb:UpdateItem') }),
    ],
    ['is wrong', new TypeError('not a map')],
  ])('ends as unavailable when it %s, and says so in the log, once', async (_, thrown) => {
    const { update, read, fail, lines } = stage();
    fail(thrown);

    expect(await update()).toEqual({ kind: 'unavailable' });
    expect(await update()).toEqual({ kind: 'unavailable' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ event: 'fleet.call_failed', fields: { call: 'COUNT', error: thrown.message } });
    expect(lines[0]?.fields?.['cause']).toBe((thrown.cause as Error | undefined)?.message);

    // Another call is another fault.
    await read();
    expect(lines).toHaveLength(2);
  });

  it('leads into the log, and nowhere else, when whoever hears the answer throws', async () => {
    const { table, lines, update } = stage();

    table.update(count, () => {
      throw new Error('a slip');
    });
    await table.pending();

    expect(lines).toEqual([{ event: 'fleet.answer_failed', fields: { call: 'COUNT', error: 'a slip' } }]);
    expect(await update()).toMatchObject({ kind: 'updated' });
    expect(table.counts()).toMatchObject({ writes: 2, unavailable: 0, mishandled: 1 });
  });
});

describe('calls that are out', () => {
  it('are none when nothing was called, and none when all were answered', async () => {
    const { table, update } = stage();
    expect(table.pending()).toBeUndefined();
    await update();
    await setImmediate();
    expect(table.pending()).toBeUndefined();
  });

  it('are waited for, with those that their answers lead to', async () => {
    const { table } = stage();
    let isOver = false;

    table.read(key, () =>
      table.update(count, () =>
        table.query('P', () => {
          isOver = true;
        }),
      ),
    );
    await table.pending();

    expect(isOver).toBe(true);
  });

  it('are counted by kind and name, and those without an answer', async () => {
    const { table, update, read, fail } = stage();
    await update();
    await read();
    table.query('P', () => {});
    fail(new StoreUnavailableError('no'));
    await update();
    fail(new StoreRefusedError('not allowed'));
    await update();

    expect(table.counts()).toEqual({
      reads: 2,
      writes: 3,
      unavailable: 2,
      refused: 1,
      mishandled: 0,
      byName: new Map([
        ['COUNT', 3],
        ['READ', 1],
        ['QUERY', 1],
      ]),
    });
  });
});
