import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import {
  absent,
  all,
  any,
  type Change,
  type Condition,
  equals,
  type Item,
  remove,
  set,
} from '../../shared/fleet/table/fleet-table.ts';
import { StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { dynamoClient, dynamoServers, startTable } from '../support/dynamo-servers.ts';

const item: Item = { n: 5, s: 'text', set: new Set(['p', 'q']), map: { number: 1, text: 'in' } };

const atMost = (attribute: string, value: number): Condition => ({ kind: 'at most', path: [attribute], value });
const above = (attribute: string, value: number): Condition => ({ kind: 'above', path: [attribute], value });
const smaller = (attribute: string, size: number): Condition => ({ kind: 'smaller', path: [attribute], size });
const add = (attribute: string, value: number | ReadonlySet<string>): Change => ({ kind: 'add', attribute, value });

const met: readonly Condition[] = [
  absent('none'),
  absent('none', 'member'),
  absent('map', 'none'),
  absent('n', 'member'),
  equals(['n'], 5),
  equals(['s'], 'text'),
  equals(['map', 'number'], 1),
  equals(['map', 'text'], 'in'),
  atMost('n', 5),
  { kind: 'at most', path: ['map', 'number'], value: 1 },
  above('n', 4),
  { kind: 'above', path: ['map', 'number'], value: 0 },
  smaller('set', 3),
  all(equals(['n'], 5), equals(['s'], 'text')),
  any(equals(['n'], 6), equals(['s'], 'text')),
  any(all(equals(['n'], 6), absent('none')), all(absent('none'), any(absent('n'), above('n', 4)))),
  all(all(absent('none')), any(equals(['n'], 5)), all(absent('none'), absent('neither'))),
  any(absent('n'), all(any(equals(['n'], 5)))),
];

const unmet: readonly Condition[] = [
  absent('n'),
  absent('map', 'text'),
  equals(['n'], 4),
  equals(['n'], '5'),
  equals(['s'], 'Text'),
  equals(['none'], 5),
  equals(['none', 'member'], 5),
  equals(['n', 'member'], 5),
  equals(['map', 'number'], 2),
  atMost('n', 4),
  atMost('none', 4),
  atMost('s', 4),
  above('n', 5),
  above('none', -1),
  above('s', -1),
  smaller('set', 2),
  smaller('none', 2),
  smaller('n', 9),
  all(equals(['n'], 5), equals(['s'], 'other')),
  any(equals(['n'], 6), equals(['s'], 'other')),
  // Without its parentheses it would be met.
  all(any(equals(['n'], 5), equals(['n'], 6)), absent('n')),
];

const results: readonly (readonly [title: string, changes: readonly Change[], after: Item])[] = [
  [
    'sets members of every kind',
    [set(['n'], 6), set(['set'], new Set(['r'])), set(['map'], { a: 1 })],
    { ...item, n: 6, set: new Set(['r']), map: { a: 1 } },
  ],
  ['sets what is not there', [set(['new'], 'x')], { ...item, new: 'x' }],
  [
    'sets members of a map, and leaves the others',
    [set(['map', 'number'], 2), set(['map', 'new'], 'x')],
    { ...item, map: { number: 2, text: 'in', new: 'x' } },
  ],
  [
    'removes a member, and a member of a map',
    [remove('n'), remove('map', 'text')],
    { s: 'text', set: new Set(['p', 'q']), map: { number: 1 } },
  ],
  ['removes what is not there', [remove('none'), remove('map', 'none')], item],
  [
    'adds to a number, and to a set',
    [add('n', -2), add('set', new Set(['q', 'r']))],
    { ...item, n: 3, set: new Set(['p', 'q', 'r']) },
  ],
  ['adds to what is not there', [add('m', 1), add('t', new Set(['p']))], { ...item, m: 1, t: new Set(['p']) }],
  [
    'does all of it at once',
    [set(['s'], 'y'), remove('set'), add('n', 1), remove('map', 'text')],
    { n: 6, s: 'y', map: { number: 1 } },
  ],
  [
    'takes names that DynamoDB reserves or cannot parse',
    [set(['status'], 1), set(['e_translate fr-en@1.0.0'], 2), set(['map', 'at'], 3)],
    { ...item, status: 1, 'e_translate fr-en@1.0.0': 2, map: { number: 1, text: 'in', at: 3 } },
  ],
  ['changes nothing when there is nothing to change', [], item],
];

const invalid: readonly (readonly [title: string, changes: readonly Change[]])[] = [
  ['a member of a map that is not there', [set(['none', 'member'], 1)]],
  ['a member of what is no map', [set(['n', 'member'], 1)]],
  ['a number to a text', [add('s', 1)]],
  ['two changes of one member', [set(['n'], 1), add('n', 1)]],
  ['a change of a map and of its member', [set(['map'], {}), remove('map', 'text')]],
  ['an empty set', [set(['set'], new Set())]],
];

function words(condition: Condition): string {
  switch (condition.kind) {
    case 'all':
      return `(${condition.of.map(words).join(' and ')})`;
    case 'any':
      return `(${condition.of.map(words).join(' or ')})`;
    case 'absent':
      return `no ${condition.path.join('.')}`;
    case 'equals':
      return `${condition.path.join('.')} = ${JSON.stringify(condition.value)}`;
    case 'at most':
      return `${condition.path.join('.')} at most ${condition.value}`;
    case 'above':
      return `${condition.path.join('.')} above ${condition.value}`;
    case 'smaller':
      return `${condition.path.join('.')} smaller than ${condition.size}`;
  }
}

for (const kind of dynamoServers) {
  const title = kind.missing === undefined ? `on ${kind.name}` : `on ${kind.name} (skipped: ${kind.missing})`;

  describe.skipIf(kind.missing !== undefined)(`the fleet's table ${title}`, () => {
    let table: Awaited<ReturnType<typeof startTable>>;
    let store: DynamoFleetTable;
    let last = 0;

    beforeAll(async () => {
      table = await startTable(kind);
      store = new DynamoFleetTable(table.client, table.tableName);
    });
    afterAll(() => table.close());

    /** A key of its own with this item under it, if any. */
    async function place(before: Item | undefined) {
      last += 1;
      const key = { pk: 'CONTRACT', sk: String(last) };
      if (before !== undefined) {
        const parts = Object.entries(before).map(([attribute, value]) => set([attribute], value));
        await store.update({ name: 'PLACE', key, condition: undefined, changes: parts });
      }
      return {
        key,
        update: (condition: Condition | undefined, parts: readonly Change[]) =>
          store.update({ name: 'CHANGE', key, condition, changes: parts }),
        read: () => store.read(key, { isConsistent: true }),
      };
    }

    it.each(met.map((condition) => [words(condition), condition] as const))('meets %s', async (_, condition) => {
      const { update } = await place(item);
      expect(await update(condition, [set(['n'], 6)])).toEqual({ kind: 'updated', item: { ...item, n: 6 } });
    });

    it.each(unmet.map((condition) => [words(condition), condition] as const))(
      'refuses on %s, hands over the item as it is, and leaves it so',
      async (_, condition) => {
        const { update, read } = await place(item);
        expect(await update(condition, [set(['n'], 6)])).toEqual({ kind: 'refused', item });
        expect(await read()).toEqual(item);
      },
    );

    it.each(results)('%s', async (_, parts, after) => {
      const { update, read } = await place(item);
      expect(await update(undefined, parts)).toEqual({ kind: 'updated', item: after });
      expect(await read()).toEqual(after);
    });

    it('makes an item that is not there, if it need not be', async () => {
      const { update, read } = await place(undefined);
      expect(await read()).toBeUndefined();
      expect(await update(equals(['n'], 1), [set(['n'], 1)])).toEqual({ kind: 'refused', item: undefined });
      expect(await update(absent('n'), [set(['n'], 1)])).toEqual({ kind: 'updated', item: { n: 1 } });
    });

    it.each(invalid)('refuses %s as a mistake, with the reason', async (_, parts) => {
      const { update, read } = await place(item);
      const thrown: unknown = await update(undefined, parts).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(StoreRefusedError);
      expect(thrown).toMatchObject({
        message: expect.stringContaining('CHANGE'),
        cause: { name: 'ValidationException' },
      });
      expect(await read()).toEqual(item);
    });

    it('queries a partition of more than one page by sk', async () => {
      const big = 'x'.repeat(100_000);
      const names = Array.from({ length: 24 }, (_, i) => `model-${String(i).padStart(2, '0')}`);
      for (const sk of names.toReversed()) {
        await store.update({
          name: 'PLACE',
          key: { pk: 'PAGES', sk },
          condition: undefined,
          changes: [set(['big'], big)],
        });
      }

      const found = await store.query('PAGES');

      expect([...found.keys()]).toEqual(names);
      expect(found.get('model-23')).toEqual({ big });
      expect(await store.query('NOTHING')).toEqual(new Map());
    });

    /** The same table, and what it sends to the server. */
    function watched() {
      const client = dynamoClient(table.endpoint);
      const sent: string[] = [];
      client.middlewareStack.add(
        (next, { commandName }) =>
          (args) => {
            const isConsistent = 'ConsistentRead' in args.input && args.input.ConsistentRead === true;
            sent.push(`${commandName}${isConsistent ? ', consistent' : ''}`);
            return next(args);
          },
        { step: 'initialize' },
      );
      return { store: new DynamoFleetTable(client, table.tableName), sent, close: () => client.destroy() };
    }

    it('asks for the item of a refusal only where the server does not hand it over with it', async () => {
      const { key } = await place(item);
      const { store, sent, close } = watched();

      await store.update({ name: 'CHANGE', key, condition: absent('n'), changes: [] });

      const asked = kind.name === 'dynalite' ? ['GetItemCommand, consistent'] : [];
      expect(sent).toEqual(['UpdateItemCommand', ...asked]);
      close();
    });

    it('reads consistently where it is asked to, and queries always', async () => {
      const { key } = await place(item);
      const { store, sent, close } = watched();

      await store.read(key);
      await store.read(key, { isConsistent: true });
      await store.query('CONTRACT');

      expect(sent).toEqual(['GetItemCommand', 'GetItemCommand, consistent', 'QueryCommand, consistent']);
      close();
    });

    it('lets exactly one of many win, and tells the others of the winner', async () => {
      const { update } = await place(undefined);
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) => update(absent('winner'), [set(['winner'], `w${i}`)])),
      );

      const [winner, ...others] = answers.toSorted((a, b) => (a.kind === b.kind ? 0 : a.kind === 'updated' ? -1 : 1));
      expect(winner?.kind).toBe('updated');
      for (const answer of others) expect(answer).toEqual({ kind: 'refused', item: winner?.item });
    });

    it('tells a table that is not there from a store that does not answer, and from a caller who gave up', async () => {
      const key = { pk: 'A', sk: 'B' };
      await expect(new DynamoFleetTable(table.client, 'no-such-table').read(key)).rejects.toThrow(StoreRefusedError);

      const client = dynamoClient('http://127.0.0.1:1');
      await expect(new DynamoFleetTable(client, 'casalingua').query('A')).rejects.toThrow(StoreUnavailableError);
      client.destroy();

      const signal = AbortSignal.abort(new Error('enough'));
      await expect(store.read(key, { signal })).rejects.toThrow('enough');
    });
  });
}
