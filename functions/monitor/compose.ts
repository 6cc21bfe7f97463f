import { readSettings } from '../../shared/config/read-settings.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { createLateMemoryHistory } from '../../shared/fleet/memory/late-memory-history.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import { createStandardOutput } from '../../shared/observability/standard-output.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { createCountActive } from './count-active.ts';
import { createFleetMemory } from './fleet-memory.ts';
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
  /** Default: on Lambda among the same lines. */
  readonly metrics?: Metrics | undefined;
}

/** For one task; the function itself may take 30 s. */
const TASK_MS = 20_000;

/** The whole monitor function, by its environment. @throws SettingsInvalidError */
export function composeMonitor(env: NodeJS.ProcessEnv, options: MonitorComposeOptions = {}): Monitor {
  const settings = readSettings(env, options.assets);
  const clock = systemClock;
  const output = createStandardOutput(env, 'monitor', settings.logLevel);
  const { log = output.log, metrics = output.metrics } = options;
  const stores = createLateStores(settings);
  const tasks: readonly MonitorTask[] = [
    createFleetMemory(createLateMemoryHistory(settings.bucket), metrics, clock),
    createCountActive(stores.table, clock),
    createReleaseExpired(stores.table, clock),
    createRepairAnnouncements(stores.table),
  ];
  const run = createMonitor({ tasks, snapshots: stores.snapshots, clock, log, metrics, timeoutMs: TASK_MS });
  return {
    run() {
      // It was frozen for a minute.
      stores.renewConnections();
      return run().finally(() => output.flush());
    },
  };
}
