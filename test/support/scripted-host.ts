import type { Instruments } from '../../functions/inference/instruments.ts';
import type { LoadPermits } from '../../shared/host/load-permits.ts';
import type { ModelLoader } from '../../shared/host/model-loader.ts';
import { ScheduledModelHost } from '../../shared/host/scheduled-model-host.ts';
import type { Log } from '../../shared/observability/log.ts';
import { HandMemory } from './hand-memory.ts';
import { type HostChanges, hostSettings } from './host-settings.ts';
import { ScriptedLoader, type ScriptedLoaderOptions } from './scripted-loader.ts';

export interface ScriptedHostParts {
  /** The host's time, for who goes by the same. */
  readonly time?: { wallMs: number; monotonicMs: number };
  /** What stands before the loader. */
  readonly around?: (loader: ModelLoader) => ModelLoader;
  /** Default: loads need none. */
  readonly permits?: LoadPermits;
  /** Told of each step of a model, and of threads that do not end. */
  readonly instruments?: Pick<Instruments, 'modelChanged' | 'workerLost'>;
}

/** The real host over a loader that obeys a script, time that passes when the test says so, and a log that is kept. */
export function createScriptedHost(
  changes: HostChanges = {},
  options: ScriptedLoaderOptions = {},
  {
    time = { wallMs: 1_000, monotonicMs: 0 },
    around = (loader) => loader,
    permits,
    instruments,
  }: ScriptedHostParts = {},
) {
  const loader = new ScriptedLoader(options);
  const memory = new HandMemory();
  const log: string[] = [];
  const note =
    (level: string): Log['info'] =>
    (event, fields) =>
      log.push(`${level} ${event} ${fields?.['model']} ${fields?.['state'] ?? fields?.['reason']}`);
  const repeated = { run: () => {}, everyMs: () => 0, isOver: false };
  let changed = 0;
  const host = new ScheduledModelHost({
    settings: hostSettings(changes),
    loader: around(loader),
    memory,
    permits,
    readings: { wall: () => time.wallMs, monotonic: () => time.monotonicMs },
    random: () => 0.5,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    repeat: (run, everyMs) => {
      Object.assign(repeated, { run, everyMs });
      return () => {
        repeated.isOver = true;
      };
    },
    onChange: (change) => {
      changed++;
      instruments?.modelChanged(change);
    },
    onLost: (model) => instruments?.workerLost(model),
    onPin: () => {
      changed++;
    },
  });
  return {
    host,
    loader,
    memory,
    log,
    repeated,
    changes: () => changed,
    stateOf: (key: string) => host.status().find(({ id, version }) => `${id}@${version}` === key)?.state,
    /** Time passes in beats, as it does for a process that runs. */
    pass(ms: number): void {
      for (let left = ms; left > 0; left -= 250) {
        time.wallMs += Math.min(left, 250);
        time.monotonicMs += Math.min(left, 250);
        host.wake();
      }
    },
    /** Time passes, and nobody looks at the clock. */
    pauses(ms: number): void {
      time.wallMs += ms;
      time.monotonicMs += ms;
    },
    /** Time in which the process is stopped, and then woken. */
    freeze(ms: number): void {
      time.wallMs += ms;
      host.wake();
    },
  };
}

/** Lets everything happen that needs no further event. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Whether a promise has settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  await settle();
  return settled;
}
