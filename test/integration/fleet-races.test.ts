import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import { dynamoServers, startTable } from '../support/dynamo-servers.ts';
import { EPOCHS, epochKey, prizeOf } from './fleet-race-epochs.ts';
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
});
