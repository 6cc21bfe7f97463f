import { CasaLinguaError, messageOf } from '../../shared/errors.ts';
import type { InstanceSnapshots, SnapshotsRead } from '../../shared/fleet/instance-snapshot.ts';
import type { Log, LogFields } from '../../shared/observability/log.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { TaskTimeoutError } from './errors.ts';

/** What the instances tell of themselves, those left out that have expired. Read once in a run, for the first who asks. */
export type ReadInstances = () => Promise<SnapshotsRead>;

/**
 * One thing that the monitor sees to. Its event is delivered at least once, and runs may overlap: what a task does must bear
 * to be done twice.
 */
export interface MonitorTask {
  /** Stable, for the log. */
  readonly name: string;
  /** @returns what it did, for the log and the report. @throws whatever kept it from it */
  run(instances: ReadInstances, signal: AbortSignal): Promise<LogFields>;
}

export interface MonitorOptions {
  readonly tasks: readonly MonitorTask[];
  readonly snapshots: Pick<InstanceSnapshots, 'readAll'>;
  readonly clock: { now(): number };
  readonly log: Log;
  readonly metrics: Metrics;
  /** Ms that a task may take; a task that takes longer has failed. */
  readonly timeoutMs: number;
}

/** What became of one task. */
export type TaskReport =
  | { readonly task: string; readonly ok: true; readonly did: LogFields }
  | { readonly task: string; readonly ok: false; readonly code: string; readonly reason: string };

/** Does all tasks once, beside each other; a failure is that task's alone, and is logged. Never rejects. */
export type RunMonitor = () => Promise<readonly TaskReport[]>;

export function createMonitor({ tasks, snapshots, clock, log, metrics, timeoutMs }: MonitorOptions): RunMonitor {
  return async () => {
    const overtime = new AbortController();
    const late = new TaskTimeoutError(`it took longer than ${timeoutMs} ms`);
    const timer = setTimeout(() => overtime.abort(late), timeoutMs);
    const { signal } = overtime;
    let reading: Promise<SnapshotsRead> | undefined;
    const instances = () => {
      reading ??= readLive(signal);
      return reading;
    };
    try {
      return await Promise.all(tasks.map((task) => report(task, instances, signal)));
    } finally {
      clearTimeout(timer);
      metrics.flush();
    }
  };

  async function readLive(signal: AbortSignal): Promise<SnapshotsRead> {
    const read = await snapshots.readAll({ signal });
    const now = clock.now();
    return { ...read, snapshots: read.snapshots.filter(({ expiresAt }) => expiresAt > now) };
  }

  async function report(task: MonitorTask, instances: ReadInstances, signal: AbortSignal): Promise<TaskReport> {
    const startedAt = clock.now();
    const about = () => ({ task: task.name, ms: clock.now() - startedAt });
    try {
      const did = await untilAborted(task.run(instances, signal), signal);
      metrics.count('monitorTasks', { task: task.name, outcome: 'ok' });
      log.info('monitor.task', { ...about(), ...did });
      return { task: task.name, ok: true, did };
    } catch (thrown) {
      const code = thrown instanceof CasaLinguaError ? thrown.code : 'INTERNAL_ERROR';
      const reason = messageOf(thrown);
      metrics.count('monitorTasks', { task: task.name, outcome: 'failed' });
      log.error('monitor.task', { ...about(), code, reason });
      return { task: task.name, ok: false, code, reason };
    }
  }
}
