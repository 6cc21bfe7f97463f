import { describe, expect, it } from 'vitest';
import { absent, all, any, type Condition, equals, set } from '../../shared/fleet/table/fleet-table.ts';
import { clausesOf, VirtualTable, withoutClause } from '../support/virtual-table.ts';

const [a, b, c] = [absent('a'), equals(['b'], 1), equals(['c', 'x'], 2)];

describe('dropping a clause', () => {
  it.each<[Condition, number, Condition | undefined]>([
    [a, 0, undefined],
    [all(a, b), 0, all(b)],
    [all(a, b), 1, all(a)],
    [all(a, any(b, c)), 1, all(a, any(c))],
    [all(a, any(all(b), c)), 1, all(a, any(c))],
    [all(any(a), b), 0, all(b)],
    [any(all(a)), 0, undefined],
  ])('of %j, number %i, leaves the others', (condition, n, rest) => {
    expect(withoutClause(condition, n)).toEqual(rest);
    expect(clausesOf(rest)).toBe(clausesOf(condition) - 1);
  });

  it('that is not there leaves all', () => {
    expect(withoutClause(all(a, any(b, c)), 3)).toEqual(all(a, any(b, c)));
    expect(clausesOf(undefined)).toBe(0);
  });
});

describe('a table in memory', () => {
  const key = { pk: 'P', sk: 'S' };
  const write = (value: number, condition?: Condition) => ({
    name: 'SET',
    key,
    condition,
    changes: [set(['n'], value)],
  });

  it('carries out what a test makes of an update', () => {
    const table = new VirtualTable({ mutate: (update) => ({ ...update, condition: undefined }) });
    expect(table.apply(write(1, equals(['n'], 7)))).toEqual({ kind: 'updated', item: { n: 1 } });
  });

  it('never changes an answer that it has given', () => {
    const table = new VirtualTable();
    table.apply(write(1));
    const before = table.read(key);
    const all = table.query('P');
    table.apply(write(2));
    expect(before.item).toEqual({ n: 1 });
    expect(all.items.get('S')).toEqual({ n: 1 });
    expect(table.read(key).item).toEqual({ n: 2 });
  });
});
