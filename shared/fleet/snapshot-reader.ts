import { messageOf } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import { type FleetView, type InstanceSnapshots, PERIOD_MS, type SnapshotsRead } from './instance-snapshot.ts';

export interface SnapshotReaderOptions {
  readonly store: Pick<InstanceSnapshots, 'readAll'>;
  readonly clock: { now(): number };
  /** Ms for one reading: it may have to connect anew, and nobody's text waits for it. */
  readonly timeoutMs: number;
}

/** For which a reading, or the failure to read, is good. */
const FRESH_MS = 1_000;
/** Silence from which an instance is called stale. */
const STALE_MS = 2 * PERIOD_MS;

/**
 * Reads what the instances tell of themselves; never rejects. While the store is away it answers what was known last, less
 * what has expired since, and why.
 */
export function createSnapshotReader(options: SnapshotReaderOptions): () => Promise<FleetView> {
  const { store, clock, timeoutMs } = options;
  let known: SnapshotsRead | undefined;
  let failure: string | undefined;
  let triedAt: number | undefined;
  let reading: Promise<void> | undefined;

  return async () => {
    if (!isFresh()) {
      reading ??= read().finally(() => {
        reading = undefined;
      });
      await reading;
    }
    return view();
  };

  /** A clock that was set back makes a reading old, not immortal. */
  function isFresh(): boolean {
    const now = clock.now();
    return triedAt !== undefined && now >= triedAt && now < triedAt + FRESH_MS;
  }

  async function read(): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      known = await untilAborted(store.readAll({ signal }), signal);
      failure = undefined;
    } catch (thrown) {
      failure = signal.aborted ? 'the store did not answer in time' : messageOf(thrown);
    }
    triedAt = clock.now();
  }

  function view(): FleetView {
    const now = clock.now();
    const { snapshots, unreadable } = known ?? { snapshots: [], unreadable: 0 };
    return {
      instances: snapshots
        .filter(({ expiresAt }) => expiresAt > now)
        .map((snapshot) => ({ snapshot, stale: now - snapshot.at > STALE_MS })),
      reasons: [
        ...(failure === undefined ? [] : [`the snapshots of the instances cannot be read: ${failure}`]),
        ...(unreadable === 0 ? [] : [`${unreadable} instances of another version cannot be understood`]),
      ],
    };
  }
}
