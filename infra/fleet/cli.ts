import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import parseDuration from 'parse-duration';
import { MODEL_ID } from '../../shared/config/model-id.ts';
import { forceBreaker, releaseBreaker } from '../../shared/fleet/breaker/operator-steps.ts';
import { createDynamoClient } from '../../shared/fleet/dynamo-client.ts';
import { DynamoFleetTable } from '../../shared/fleet/table/dynamo-fleet-table.ts';
import { createTableCalls } from '../../shared/fleet/table/table-calls.ts';
import type { TableStore } from '../../shared/fleet/table/table-store.ts';
import type { Want } from '../../shared/fleet/wishes/wish-record.ts';
import { setWish } from '../../shared/fleet/wishes/wish-writer.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { currentUser, patientStore, print, runCommand } from '../operator-command.ts';
import { limitPermits, overview, overviewInWords } from './commands.ts';

interface CommonOptions {
  readonly table: string;
  readonly json?: boolean;
}

const BREAKER = /^(?:translate|detect|load) [a-z0-9][a-z0-9._-]{0,62}@[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const wants: readonly Want[] = ['loaded', 'unloaded', 'pinned'];

const program = new Command('fleet')
  .description('Shows what the instances share, and has them do what an operator wants.')
  .exitOverride();

withCommonOptions(program.command('status'))
  .description('show the circuit breakers and wishes of the fleet')
  .action(async (options: CommonOptions) => {
    const shown = await overview(openTable(options), systemClock.now());
    print(options, shown, overviewInWords(shown));
  });

withCommonOptions(program.command('force'))
  .description('open or close a circuit breaker for the whole fleet, whatever its calls say')
  .argument('<breaker>', 'e.g. "translate translate-en-es@1.0.0"', breakerOf)
  .addArgument(program.createArgument('<state>').choices(['open', 'closed']))
  .requiredOption('--why <words>', 'for those who will wonder')
  .option('--for <duration>', 'how long, e.g. 30m', durationOf, durationOf('1h'))
  .action(async (breaker: string, state: string, options: CommonOptions & { why: string; for: number }) => {
    const until = systemClock.now() + options.for;
    const kind = state === 'open' ? 'FORCED_OPEN' : 'FORCED_CLOSED';
    const word = { kind, by: currentUser(), why: options.why, until } as const;
    const { epoch } = await forceBreaker(openTable(options), breaker, word, systemClock);
    print(options, { breaker, state: kind, epoch, until }, `${breaker} is forced ${state} until ${inWords(until)}`);
  });

withCommonOptions(program.command('release'))
  .description('take back what was forced')
  .argument('<breaker>', undefined, breakerOf)
  .action(async (breaker: string, options: CommonOptions) => {
    const { kind, epoch } = await releaseBreaker(openTable(options), breaker);
    print(options, { breaker, state: kind, epoch }, `${breaker} is ${kind}`);
  });

withCommonOptions(program.command('want'))
  .description('have every instance load, unload or pin a model')
  .argument('<model>', undefined, modelOf)
  .addArgument(program.createArgument('<state>').choices(wants))
  .option('--for <duration>', 'how long the wish stands, e.g. 30m; left out: until the next one', durationOf)
  .action(async (model: string, want: Want, options: CommonOptions & { for?: number }) => {
    const until = options.for === undefined ? undefined : systemClock.now() + options.for;
    const wish = { model, want, by: currentUser(), request: randomUUID(), ...(until === undefined ? {} : { until }) };
    const { record, announced } = await setWish({ table: callsOf(openTable(options)), clock: systemClock }, wish);
    const later = announced ? '' : ' (instances could not be told and will notice by themselves)';
    const text = `${model} is to be ${want}, wish ${record.seq}: see the instances' wishes in /health/detailed${later}`;
    print(options, { model, ...record, announced }, text);
  });

withCommonOptions(program.command('permits'))
  .description('let so many instances at once load a model, instead of what the configuration says')
  .argument('<model>', undefined, modelOf)
  .argument('<count>', 'a whole number from 1', countOf)
  .action(async (model: string, count: number, options: CommonOptions) => {
    await limitPermits(openTable(options), model, count);
    print(options, { model, permits: count }, `${count} instances at once may load ${model}`);
  });

await runCommand(program);

function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--table <name>', 'DynamoDB table').env('CASALINGUA_TABLE').makeOptionMandatory())
    .option('--json', 'print JSON');
}

function openTable({ table }: CommonOptions): TableStore {
  return new DynamoFleetTable(createDynamoClient(patientStore), table);
}

function callsOf(store: TableStore) {
  const { timeoutMs } = patientStore;
  const log = { error: (event: string, fields?: object) => console.error(event, JSON.stringify(fields)) };
  return createTableCalls({ store, clock: systemClock, timeoutMs, firstTimeoutMs: timeoutMs, log });
}

function breakerOf(text: string): string {
  if (BREAKER.test(text)) return text;
  throw new InvalidArgumentError('a circuit breaker is "translate", "detect" or "load" and <model>@<version>');
}

function modelOf(text: string): string {
  if (MODEL_ID.test(text)) return text;
  throw new InvalidArgumentError('a model id has lower case letters, digits, . _ -');
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new InvalidArgumentError('a whole number from 1 to 1000');
}

function durationOf(text: string): number {
  const ms = parseDuration(text) ?? 0;
  if (ms > 0) return ms;
  throw new InvalidArgumentError('a duration like 30m or 1h30m');
}

function inWords(wall: number): string {
  return new Date(wall).toISOString();
}
