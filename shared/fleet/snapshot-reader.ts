import { createCachedReading } from './cached-reading.ts';
import { type FleetView, type InstanceSnapshots, PERIOD_MS, type SnapshotsRead } from './instance-snapshot.ts';

export interface SnapshotReaderOptions {
  readonly store: Pick<InstanceSnapshots, 'readAll'>;
  readonly clock: { now(): number };
  /** Ms for one reading. */
  readonly timeoutMs: number;
}

/** Silence from which an instance is called stale. */
const STALE_MS = 2 * PERIOD_MS;
const nothing: SnapshotsRead = { snapshots: [], unreadable: 0 };

/**
 * Reads what the instances tell of themselves; never rejects. While the store is away it answers what was known last, less
 * what has expired since, and why.
 */
export function createSnapshotReader({ store, clock, timeoutMs }: SnapshotReaderOptions): () => Promise<FleetView> {
  const read = createCachedReading({ read: (signal) => store.readAll({ signal }), clock, timeoutMs });
  return async () => {
    const { known = nothing, failure } = await read();
    const now = clock.now();
    return {
      instances: known.snapshots
        .filter(({ expiresAt }) => expiresAt > now)
        .map((snapshot) => ({ snapshot, stale: now - snapshot.at > STALE_MS })),
      reasons: [
        ...(failure === undefined ? [] : [`the snapshots of the instances cannot be read: ${failure}`]),
        ...(known.unreadable === 0 ? [] : [`${known.unreadable} instances of another version cannot be understood`]),
      ],
    };
  };
}
