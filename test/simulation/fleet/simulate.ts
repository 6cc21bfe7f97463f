import { parseArgs } from 'node:util';
import { playFleetHistory } from './fleet-history.ts';
import { type FleetTally, replayCommand, totals } from './fleet-tally.ts';
import { playInChildren } from './play-in-children.ts';

const usage = `npm run simulate -- --seed N [--instances M] [--trace]
npm run simulate -- --seed N --histories K [--instances M]

Plays histories of a fleet whose instances share circuit breakers: instances, store and time are virtual, the breakers are
the real ones. A history follows from its seed.

  --seed N        of the (first) history
  --instances M   in every history, instead of what its seed says
  --trace         every step of the breakers
  --histories K   those of the seeds N to N + K - 1, on all cores; prints what happened how often
  --help

Exit code 1: something was not as it must be; 2: wrong usage.`;

/** Of those that went wrong, so many are told of. */
const MOST_TOLD = 20;

const { seed, instances, histories, isTraced } = readOptions();
if (histories === undefined) playOne();
else await playMany(histories);

function playOne(): void {
  const trace = isTraced ? (line: string) => console.log(line) : undefined;
  const { plan, wrong, seen, events } = playFleetHistory({ seed, instances, trace });
  console.log(plan);
  console.log(`${events} events: ${[...seen].map(([what, count]) => `${what} ${count}`).join(', ')}`);
  for (const one of wrong) console.log(`wrong: ${one}`);
  if (wrong.length > 0) process.exitCode = 1;
}

async function playMany(count: number): Promise<void> {
  const startedAt = performance.now();
  let told = 0;
  const tally = await playInChildren({ from: seed, count, instances }, (played, failed) => {
    const seconds = (performance.now() - startedAt) / 1000;
    if (played < count && seconds < told + 5) return;
    told = seconds;
    console.error(`${played} of ${count} histories, ${failed} wrong, ${seconds.toFixed(0)} s`);
  });
  const { failures } = tally;
  console.log(tableOf(tally));
  console.log(`${tally.histories} histories, ${tally.events} events, ${failures.length} went wrong`);
  for (const failure of failures.slice(0, MOST_TOLD)) {
    console.log(`${failure.story}: ${failure.wrong}\n  ${replayCommand(failure, instances)}`);
  }
  if (failures.length > MOST_TOLD) console.log(`and ${failures.length - MOST_TOLD} more`);
  if (failures.length > 0) process.exitCode = 1;
}

/** What happened how often: a line for each thing, a column for each story. */
function tableOf(tally: FleetTally): string {
  const all = totals(tally);
  const stories = Object.keys(tally.seen).toSorted();
  const lines = Object.keys(all).map((what) => [
    what,
    String(all[what]),
    ...stories.map((story) => String(tally.seen[story]?.[what] ?? 0)),
  ]);
  return [['', 'all', ...stories], ...lines]
    .map(([what = '', ...counts]) => what.padEnd(18) + counts.map((count) => count.padStart(15)).join(''))
    .join('\n');
}

/** Wrong usage ends the process. */
function readOptions() {
  const option = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      options: { seed: option, instances: option, histories: option, trace: flag, help: flag },
    });
    if (values.help) {
      console.log(usage);
      process.exit();
    }
    const seed = wholeNumber('seed', values.seed, 0);
    if (seed === undefined) throw new TypeError('--seed is missing');
    const instances = wholeNumber('instances', values.instances, 1);
    return { seed, instances, histories: wholeNumber('histories', values.histories, 1), isTraced: values.trace };
  } catch (thrown) {
    console.error(`${thrown instanceof Error ? thrown.message : thrown}\n\n${usage}`);
    process.exit(2);
  }
}

/** @throws TypeError */
function wholeNumber(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new TypeError(`--${name} is a whole number, ${least} at least`);
}
