import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import * as z from 'zod/mini';
import { createDynamoClient } from '../../../shared/fleet/dynamo-client.ts';
import { DynamoInstanceSnapshots } from '../../../shared/fleet/dynamo-instance-snapshots.ts';
import { createInvokeLater } from '../../../shared/fleet/lambda-invoke.ts';
import { createSnapshotReader } from '../../../shared/fleet/snapshot-reader.ts';
import { DynamoFleetTable } from '../../../shared/fleet/table/dynamo-fleet-table.ts';
import { createTableCalls } from '../../../shared/fleet/table/table-calls.ts';
import { createWakeFleet } from '../../../shared/fleet/wake-fleet.ts';
import { systemClock } from '../../../shared/repository/clock.ts';
import { UnknownModelError } from '../../../shared/repository/errors.ts';
import { currentUser, patientStore, print } from '../../operator-command.ts';
import { VersionDamagedError } from '../errors.ts';
import { createProgressBar } from '../progress-bar.ts';
import { removeVersion } from '../remove-version.ts';
import { verifyVersion } from '../verify-version.ts';
import { type WarmDeps, type WarmProgress, warmModel } from '../warm-model.ts';
import { durationOf, listOf, openRepository, type StoreOptions, withStores } from './options.ts';

interface WarmOptions extends StoreOptions {
  readonly timeout: number;
  readonly for?: number;
  readonly functions?: readonly string[];
}

const DEFAULT_WARM_MS = 300_000;
/** As `CASALINGUA_PINS` has it. */
const pinsSchema = z.record(z.string(), z.object({ version: z.string() }));

/** What keeps the repository and the fleet in order: `verify`, `remove`, `warm`. */
export function addKeeping(program: Command): void {
  withStores(program.command('verify'))
    .description('read a published version again and compare it with its manifest, byte by byte')
    .argument('<id>')
    .argument('<version>')
    .action(async (id: string, version: string, options: StoreOptions) => {
      const bar = createProgressBar();
      const { store } = openRepository(options);
      const { manifest, damages } = await verifyVersion(store, { id, version }, bar.update).finally(bar.stop);
      if (damages.length > 0) {
        throw new VersionDamagedError(`${id}@${version} is damaged: ${damages.join('; ')}`, { model: id });
      }
      const text = `${id}@${version} is whole: ${manifest.files.length} files`;
      print(options, { id, version, files: manifest.files.length, whole: true }, text);
    });

  withStores(program.command('remove'))
    .description('take a version out of the repository; never the active or a pinned one')
    .argument('<id>')
    .argument('<version>')
    .option('--force', 'also the one that a rollback would go back to')
    .addOption(new Option('--pins <json>', 'versions that deployments pin').env('CASALINGUA_PINS').argParser(pinsOf))
    .action(
      async (
        id: string,
        version: string,
        options: StoreOptions & { force?: boolean; pins?: Record<string, Pinned> },
      ) => {
        const pins = new Map(Object.entries(options.pins ?? {}));
        const { force = false } = options;
        const removed = await removeVersion({ ...openRepository(options), pins }, { id, version }, { force });
        const text = `${id}@${version} is removed: ${removed.files} files, ${removed.bytes} bytes`;
        print(options, { id, version, ...removed }, text);
      },
    );

  withStores(program.command('warm'))
    .description('have all instances load a model, and wait until those that are awake have it')
    .argument('<id>')
    .option('--timeout <duration>', 'how long to wait', durationOf, DEFAULT_WARM_MS)
    .option('--for <duration>', 'how long the wish stands; left out: until the next one', durationOf)
    .addOption(
      new Option('--functions <names>', 'Lambda functions to wake')
        .env('CASALINGUA_INFERENCE_FUNCTIONS')
        .argParser(listOf),
    )
    .action(async (id: string, options: WarmOptions) => {
      const active = await openRepository(options).active.current(id);
      if (active === undefined) throw new UnknownModelError(`nothing of ${id} is active`, { model: id });
      const bar = createProgressBar('percent');
      const request = {
        model: id,
        version: active.version,
        by: currentUser(),
        request: randomUUID(),
        timeoutMs: options.timeout,
        until: options.for === undefined ? undefined : systemClock.now() + options.for,
      };
      const result = await warmModel(warmDeps(options), request, (progress) =>
        bar.update({ file: inWords(progress), bytesDone: percentOf(progress), bytesTotal: 100 }),
      ).finally(bar.stop);
      const text = `${id}@${active.version} is READY in ${result.ready} of ${result.instances} instances`;
      print(options, { model: id, version: active.version, ...result }, text);
    });
}

type Pinned = { readonly version: string };

function pinsOf(text: string): Record<string, Pinned> {
  try {
    return pinsSchema.parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError('JSON like {"translate-en-es":{"version":"1.0.0","hard":false}}');
  }
}

function warmDeps({ table, functions = [] }: WarmOptions): WarmDeps {
  const client = createDynamoClient(patientStore);
  const { timeoutMs } = patientStore;
  const told = (event: string, fields?: object) => console.error(event, JSON.stringify(fields));
  const log = { error: told, warn: told };
  const store = new DynamoFleetTable(client, table);
  const readFleet = createSnapshotReader({
    store: new DynamoInstanceSnapshots(client, table),
    clock: systemClock,
    timeoutMs,
  });
  return {
    table: createTableCalls({ store, clock: systemClock, timeoutMs, firstTimeoutMs: timeoutMs, log }),
    instances: async () => (await readFleet()).instances,
    wake: createWakeFleet({ functions, connect: async () => createInvokeLater(timeoutMs), timeoutMs, log }),
    clock: systemClock,
  };
}

function inWords({ instances, ready, states }: WarmProgress): string {
  const others = Object.entries(states).filter(([state]) => state !== 'READY');
  return [`READY in ${ready} of ${instances}`, ...others.map(([state, count]) => `${state} in ${count}`)].join(', ');
}

function percentOf({ progress }: WarmProgress): number {
  return Math.floor(100 * progress);
}
