import type { ModelState } from '../host/model-state.ts';
import { untilAborted } from '../until-aborted.ts';
import { type InstanceSnapshot, type InstanceSnapshots, LOADING_PERIOD_MS, PERIOD_MS } from './instance-snapshot.ts';
import type { TakeSnapshot } from './snapshot-source.ts';

export interface SnapshotWriterOptions {
  readonly store: InstanceSnapshots;
  readonly take: TakeSnapshot;
  readonly clock: { now(): number };
  /** Ms for one write. */
  readonly timeoutMs: number;
  /** Ms for one that also pays for the connection, since none has succeeded lately. */
  readonly firstTimeoutMs: number;
  /** Calls `run` once after `ms`, unless what it returns is called before. A timer that stands still does no harm. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** A signal that is aborted after `ms`; default: by a timer. */
  readonly abortedAfter?: (ms: number) => AbortSignal;
}

/** Tells the fleet what this instance holds. Nothing here throws. */
export interface SnapshotWriter {
  /** Something in the host, or a breaker's state, has changed, or a wish has been carried out. */
  changed(): void;
  /** A request begins. */
  wake(): void;
  /** The writes that are under way or due, if any; never rejects. An instance that freezes after its answer waits a moment for it. */
  pending(): Promise<void> | undefined;
  /** Writes that failed since the start; what they would have said, the next one says. */
  dropped(): number;
  /** Takes the instance out of the fleet's view, and writes no more; resolves when that is done, or has failed. */
  close(): Promise<void>;
}

/** After a longer silence the connection is gone. */
const CONNECTED_MS = 2 * PERIOD_MS;

/** A timer that keeps no process alive. */
export function afterMs(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}

/**
 * Writes at once what has changed in the state of a model or a breaker, or that the last lease is over, every 2 s while something loads, and every 30 s
 * otherwise; one write at a time. After a write that failed the next one comes 2 s later, then 4 s, up to 30 s.
 */
export function createSnapshotWriter(options: SnapshotWriterOptions): SnapshotWriter {
  const { store, take, clock, timeoutMs, firstTimeoutMs, after, abortedAfter = AbortSignal.timeout } = options;
  /** The snapshot of the last write, whether it succeeded or not. */
  let sent: InstanceSnapshot | undefined;
  let writing: Promise<void> | undefined;
  let isUnseen = true;
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Ms from then on for which another look would find nothing that is due. */
  let restMs = 0;
  let succeededAt = Number.NEGATIVE_INFINITY;
  let failuresInARow = 0;
  let dropped = 0;
  let closed = false;
  let disarm = () => {};

  return {
    changed() {
      isUnseen = true;
      // Of several changes in one step of the host the last is worth telling.
      queueMicrotask(writeIfDue);
    },
    wake: writeIfDue,
    pending() {
      // The leases of the request that ends here would be shown for as long as the instance is frozen.
      if (sent !== undefined && isHeld(sent)) isUnseen = true;
      writeIfDue();
      return writing === undefined ? undefined : settled();
    },
    dropped: () => dropped,
    async close() {
      closed = true;
      disarm();
      await writing;
      if (sent === undefined) return;
      const { id } = sent;
      await attempt((signal) => store.remove(id, { signal }));
    },
  };

  /** What changes during a write is due when it ends: the last word is worth waiting for. */
  async function settled(): Promise<void> {
    while (writing !== undefined) await writing;
  }

  function writeIfDue(): void {
    if (closed || writing !== undefined) return;
    // A host that says of no change needs no look before the shortest period is over: it costs more than a line of the log.
    if (!isUnseen && isWithin(clock.now() - lookedAt, restMs)) return;
    isUnseen = false;
    const snapshot = take();
    lookedAt = snapshot.at;
    const left = sent === undefined ? 0 : msLeft(snapshot, sent);
    restMs = left > 0 ? Math.min(left, LOADING_PERIOD_MS) : LOADING_PERIOD_MS;
    disarm();
    if (left > 0) {
      disarm = after(left, () => {
        isUnseen = true;
        writeIfDue();
      });
      return;
    }
    sent = snapshot;
    writing = attempt((signal) => store.write(snapshot, { signal })).finally(() => {
      writing = undefined;
      // What has changed meanwhile may be due already; otherwise this sets the timer.
      isUnseen = true;
      writeIfDue();
    });
  }

  /** Ms until there is to be a write that says what `snapshot` says. */
  function msLeft(snapshot: InstanceSnapshot, last: InstanceSnapshot): number {
    const elapsed = snapshot.at - last.at;
    const period = periodOf(snapshot, last);
    // A clock that was set back must not silence the instance.
    return isWithin(elapsed, period) ? period - elapsed : 0;
  }

  function periodOf(snapshot: InstanceSnapshot, last: InstanceSnapshot): number {
    if (failuresInARow > 0) return Math.min(PERIOD_MS, LOADING_PERIOD_MS * 2 ** (failuresInARow - 1));
    if (loads(snapshot)) return LOADING_PERIOD_MS;
    if (isHeld(last) && !isHeld(snapshot)) return 0;
    return statesOf(snapshot) === statesOf(last) ? PERIOD_MS : 0;
  }

  async function attempt(call: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const isConnected = isWithin(clock.now() - succeededAt, CONNECTED_MS);
    const signal = abortedAfter(isConnected ? timeoutMs : firstTimeoutMs);
    try {
      await untilAborted(call(signal), signal);
      succeededAt = clock.now();
      failuresInARow = 0;
    } catch {
      dropped++;
      failuresInARow++;
    }
  }
}

/** Whether so much time has passed and no more. */
function isWithin(elapsedMs: number, ms: number): boolean {
  return elapsedMs >= 0 && elapsedMs < ms;
}

const moving: readonly ModelState[] = ['DOWNLOADING', 'INITIALIZING', 'WARMING'];

/** Whether the numbers in it are on the move. */
function loads({ report }: InstanceSnapshot): boolean {
  return report.models.some(({ state }) => moving.includes(state));
}

/** Whether a request has a model. */
function isHeld({ report }: InstanceSnapshot): boolean {
  return report.models.some(({ leases }) => leases > 0);
}

/** What makes a snapshot another one; leases and times do not, or each request would be written. */
function statesOf({ report, breakers, wishes }: InstanceSnapshot): string {
  return JSON.stringify([
    report.models.map(({ id, version, state, attempts, stays, error }) => [
      id,
      version,
      state,
      attempts,
      stays,
      error?.code,
    ]),
    breakers.filter(({ state }) => state !== 'CLOSED').map(({ name, state }) => [name, state]),
    [...wishes],
  ]);
}
