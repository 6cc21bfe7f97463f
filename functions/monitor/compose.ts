import { readSettings } from '../../shared/config/settings.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { createJsonLog, type Log } from '../../shared/observability/log.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { createCountActive } from './count-active.ts';
import { fleetMemory } from './fleet-memory.ts';
import { createMonitor, type MonitorTask, type RunMonitor } from './monitor.ts';
import { createReleaseExpired } from './release-expired.ts';
import { createRepairAnnouncements } from './repair-announcements.ts';

export interface Monitor {
  readonly run: RunMonitor;
}

export interface MonitorComposeOptions {
  /** Folder of the bundle, with the configuration file; ends with a slash. */
  readonly assets?: URL;
  /** Default: JSON lines on standard output. */
  readonly log?: Log | undefined;
}

/** For one task; the function itself may take 30 s. */
const TASK_MS = 20_000;

/** The whole monitor function, by its environment. @throws SettingsInvalidError */
export function composeMonitor(env: NodeJS.ProcessEnv, options: MonitorComposeOptions = {}): Monitor {
  const settings = readSettings(env, options.assets);
  const clock = systemClock;
  const log = options.log ?? createJsonLog((line) => process.stdout.write(`${line}\n`), clock);
  const stores = createLateStores(settings);
  const tasks: readonly MonitorTask[] = [
    fleetMemory,
    createCountActive(stores.table, clock),
    createReleaseExpired(stores.table, clock),
    createRepairAnnouncements(stores.table),
  ];
  const run = createMonitor({ tasks, snapshots: stores.snapshots, clock, log, timeoutMs: TASK_MS });
  return {
    run() {
      // It was frozen for a minute.
      stores.renewConnections();
      return run();
    },
  };
}
