import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attributesOf, digestKey } from '../../shared/fleet/breaker/digest-entry.ts';
import { trip } from '../../shared/fleet/breaker/digest-steps.ts';
import { permitKey, readPermits } from '../../shared/fleet/permits/permit-record.ts';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import { set } from '../../shared/fleet/table/fleet-table.ts';
import { dynamoServers, startTable } from '../support/dynamo-servers.ts';
import { EPOCHS, epochKey, prizeOf } from './fleet-race-epochs.ts';
import { LOADS, PERMITS, RACED_MODEL, type RacedLoad } from './fleet-race-permits.ts';
import { LAST_EPOCH, RACED_BREAKER, type RacedProbe } from './fleet-race-probes.ts';
import { runRace } from './fleet-race-process.ts';

const [dynalite] = dynamoServers;

describe('six processes over one table, who each lose some of the answers', () => {
  let table: Awaited<ReturnType<typeof startTable>>;

  beforeAll(async () => {
    if (dynalite === undefined) throw new Error('no server to race over');
    table = await startTable(dynalite);
  });
  afterAll(() => table.close());

  it('raise an epoch two hundred times: no step is lost, and none is made by two', async () => {
    const results = await runRace('epochs', { racers: 6, ...table });

    const item = await new DynamoFleetTable(table.client, table.tableName).read(epochKey, { isConsistent: true });
    const prizes = Array.from({ length: EPOCHS }, (_, i) => prizeOf(i + 1));
    expect(item?.['e']).toBe(EPOCHS);
    expect(results.flatMap(({ won }) => won).toSorted()).toEqual(prizes.toSorted());
    for (const { me, won } of results) {
      for (const prize of won) expect(item?.[prize]).toContain(`${me} `);
    }
    expect(results.flatMap(({ faults }) => faults)).toEqual([]);
    // A race that one of them runs alone, or in which no answer is lost, proves nothing.
    expect(results.filter(({ won }) => won.length > 0).length).toBeGreaterThan(1);
    expect(results.reduce((sum, { lostAnswers }) => sum + lostAnswers, 0)).toBeGreaterThan(0);
  }, 90_000);

  it('load a model with two permits: never three at once, and each permit with a fence of its own', async () => {
    const results = await runRace('permits', { racers: 6, ...table });

    const loads = results.flatMap(({ won }) => won.map((load) => JSON.parse(load) as RacedLoad));
    expect(loads).toHaveLength(6 * LOADS);
    expect(mostAtOnce(loads)).toBeLessThanOrEqual(PERMITS);
    // They were in each other's way.
    expect(mostAtOnce(loads)).toBe(PERMITS);
    const item = await new DynamoFleetTable(table.client, table.tableName).read(permitKey(RACED_MODEL));
    const { fence, slots } = readPermits(item);
    // Every load has its own; one that was taken without need, since its answer was lost, was given back.
    expect(fence).toBeGreaterThanOrEqual(loads.length);
    expect(slots.size).toBe(0);
    expect(results.flatMap(({ faults }) => faults)).toEqual([]);
  }, 90_000);

  it('ask for a model that is open for all: one probe in each epoch reaches it, and never two at once', async () => {
    const store = new DynamoFleetTable(table.client, table.tableName);
    const now = Date.now();
    await store.update(trip(RACED_BREAKER, { epoch: 0, now, openMs: 30, openings: 1 }));
    await store.update({
      name: 'COUNT',
      key: digestKey,
      condition: undefined,
      changes: [set([attributesOf(RACED_BREAKER).active], { n: 6, at: now })],
    });

    const results = await runRace('probes', { racers: 6, ...table });

    const probes = results.flatMap(({ won }) => won.map((probe) => JSON.parse(probe) as RacedProbe));
    const epochs = Array.from({ length: LAST_EPOCH - 1 }, (_, index) => index + 1);
    expect(probes.map(({ epoch }) => epoch).toSorted((a, b) => a - b)).toEqual(epochs);
    expect(mostAtOnce(probes)).toBe(1);
    expect(results.flatMap(({ faults }) => faults)).toEqual([]);
    expect(results.filter(({ won }) => won.length > 0).length).toBeGreaterThan(1);
  }, 90_000);
});

interface Stretch {
  readonly from: number;
  readonly until: number;
}

/** Of these, how many lasted at the same moment at most; one that ends in the millisecond in which another begins is before it. */
function mostAtOnce(stretches: readonly Stretch[]): number {
  return Math.max(
    ...stretches.map(({ from }) => stretches.filter((other) => other.from <= from && from < other.until).length),
  );
}
