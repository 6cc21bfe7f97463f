import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import { type Change, type Item, type Key, set, type Update } from '../../shared/fleet/table/fleet-table.ts';
import { StoreRefusedError } from '../../shared/repository/errors.ts';
import { dynamoServers, startTable } from '../support/dynamo-servers.ts';
import { changes, conditions, items } from '../support/random-updates.ts';
import { InvalidUpdateError, VirtualTable } from '../support/virtual-table.ts';

const histories = fc.record({
  before: fc.option(items, { nil: undefined }),
  steps: fc.array(fc.record({ condition: fc.option(conditions, { nil: undefined }), changes }), {
    minLength: 1,
    maxLength: 4,
  }),
});

/** What is proven over the table in memory holds of the store only as far as both do the same. */
describe.each(dynamoServers)('the table in memory and $name', (kind) => {
  it.skipIf(kind.missing !== undefined)('answer random updates alike', async () => {
    const { client, tableName, close } = await startTable(kind);
    const store = new DynamoFleetTable(client, tableName);
    const seen = { updated: 0, refused: 0, invalid: 0 };
    let last = 0;
    await fc
      .assert(
        fc.asyncProperty(histories, async ({ before, steps }) => {
          last += 1;
          const key = { pk: 'RANDOM', sk: String(last) };
          const virtual = new VirtualTable();
          if (before !== undefined) {
            virtual.apply(placing(key, before));
            await store.update(placing(key, before));
          }
          for (const step of steps) {
            const update = { name: 'CHANGE', key, ...step };
            const expected = inMemory(virtual, update);
            // It takes a removal from what is no map for one of nothing.
            if (kind.name === 'dynoxide' && expected.kind === 'invalid' && step.changes.some(isRemovalOfMember)) return;
            seen[expected.kind] += 1;
            expect(await onServer(store, update)).toEqual(expected);
          }
          expect(await store.read(key, { isConsistent: true })).toEqual(virtual.read(key).item);
        }),
        { numRuns: 120 },
      )
      .finally(close);
    // Random updates are of use only while all of it happens.
    expect(Math.min(seen.updated, seen.refused, seen.invalid)).toBeGreaterThan(10);
  });
});

function placing(key: Key, item: Item): Update {
  const parts = Object.entries(item).map(([attribute, value]) => set([attribute], value));
  return { name: 'PLACE', key, condition: undefined, changes: parts };
}

function inMemory(virtual: VirtualTable, update: Update) {
  try {
    return virtual.apply(update);
  } catch (thrown) {
    if (thrown instanceof InvalidUpdateError) return { kind: 'invalid' } as const;
    throw thrown;
  }
}

async function onServer(store: DynamoFleetTable, update: Update) {
  try {
    return await store.update(update);
  } catch (thrown) {
    if (thrown instanceof StoreRefusedError) return { kind: 'invalid' } as const;
    throw thrown;
  }
}

function isRemovalOfMember(change: Change): boolean {
  return change.kind === 'remove' && change.path.length === 2;
}
