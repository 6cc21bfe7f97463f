import { once } from 'node:events';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import type { FleetTable } from '../../shared/fleet/table/fleet-table.ts';
import { createTableCalls } from '../../shared/fleet/table/table-calls.ts';
import { dynamoClient } from '../support/dynamo-servers.ts';
import { raceForEpochs } from './fleet-race-epochs.ts';
import { raceForPermits } from './fleet-race-permits.ts';
import { raceForProbes } from './fleet-race-probes.ts';
import type { Race, RaceLine, RaceStart } from './fleet-race-run.ts';

const races: Readonly<Record<string, Race>> = {
  epochs: raceForEpochs,
  permits: raceForPermits,
  probes: raceForProbes,
};
/** Of a hundred updates that happened, whose answers get lost. */
const LOST_PERCENT = 10;

/** A process that runs a race when it is told to, over its own client, and tells what it wins line by line. */
const { race, me, endpoint, tableName } = JSON.parse(process.argv[2] ?? '') as RaceStart;
const client = dynamoClient(endpoint);
const faults: string[] = [];
let lostAnswers = 0;
const calls = createTableCalls({
  store: new DynamoFleetTable(client, tableName),
  clock: Date,
  // One core for many processes and their server: nobody is to be slow here, but for the answers that are lost.
  timeoutMs: 10_000,
  firstTimeoutMs: 10_000,
  log: { error: (event, fields) => void faults.push(`${event} ${JSON.stringify(fields)}`) },
});
const forgetful: FleetTable = {
  read: (key, done, options) => calls.read(key, done, options),
  query: (pk, done) => calls.query(pk, done),
  update: (update, done) =>
    calls.update(update, (answer) => {
      const isLost = answer.kind === 'updated' && Math.random() * 100 < LOST_PERCENT;
      if (isLost) lostAnswers += 1;
      done(isLost ? { kind: 'unavailable' } : answer);
    }),
};

const run = races[race];
if (run === undefined) throw new Error(`no race ${race}`);
const started = once(process, 'message');
say({ kind: 'ready' });
await started;
await run({ me, table: forgetful, tell: (prize) => say({ kind: 'won', prize }) });
say({ kind: 'done', lostAnswers, faults });
client.destroy();
process.disconnect?.();

function say(line: RaceLine): void {
  console.log(JSON.stringify(line));
}
