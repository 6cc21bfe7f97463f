import {
  type FleetView,
  type InstanceSnapshot,
  type InstanceSnapshots,
  LIVE_MS,
} from '../../shared/fleet/instance-snapshot.ts';
import type { HostReport, ModelStatus } from '../../shared/host/model-host.ts';
import { reportOf } from './fake-host.ts';
import { testNow } from './inference-app.ts';

/** An instance that has served for an hour and told of itself just now, or what `changes` make of it. */
export function snapshotOf(
  changes: Partial<InstanceSnapshot> & { models?: readonly ModelStatus[]; host?: Partial<HostReport> } = {},
): InstanceSnapshot {
  const { models = [], host = {}, ...rest } = changes;
  const at = rest.at ?? testNow;
  return {
    id: 'instance-1',
    startedAt: at - 3_600_000,
    initialization: 'on-demand',
    bundle: '1.2.3',
    at,
    expiresAt: at + LIVE_MS,
    cpuPercent: 50,
    report: reportOf(models, host),
    breakers: [],
    asked: [],
    wishes: new Map(),
    traffic: undefined,
    events: [],
    leftOut: 0,
    ...rest,
  };
}

/** A fleet that has written nothing. */
export const emptyDigest = async () => ({ known: undefined, failure: undefined });

export const noInstances: FleetView = { instances: [], reasons: [] };

/** These instances, all heard of lately. */
export function fleetOf(...snapshots: readonly InstanceSnapshot[]): FleetView {
  return { instances: snapshots.map((snapshot) => ({ snapshot, stale: false })), reasons: [] };
}

/** A store in memory that a test can take away, or let hang until a call is given up. */
export interface FakeSnapshots extends InstanceSnapshots {
  readonly written: InstanceSnapshot[];
  readonly removed: string[];
  /** Calls that were begun, failed ones included. */
  calls(): number;
  /** What happens to the calls from now on. */
  become(behaviour: 'there' | 'away' | 'hanging'): void;
  /** Calls under way at the same time at most. */
  mostAtOnce(): number;
}

export function createFakeSnapshots(stored: readonly InstanceSnapshot[] = []): FakeSnapshots {
  const written: InstanceSnapshot[] = [];
  const removed: string[] = [];
  let behaviour: 'there' | 'away' | 'hanging' = 'there';
  let calls = 0;
  let underWay = 0;
  let mostAtOnce = 0;

  const call = async <Answer>(answer: () => Answer): Promise<Answer> => {
    calls += 1;
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    await Promise.resolve();
    // A store that hangs does not listen to signals either.
    if (behaviour === 'hanging') return new Promise<never>(() => {});
    underWay -= 1;
    if (behaviour === 'away') throw new Error('the store is away');
    return answer();
  };

  return {
    written,
    removed,
    calls: () => calls,
    mostAtOnce: () => mostAtOnce,
    become: (next) => {
      behaviour = next;
    },
    write: (snapshot) => call(() => void written.push(snapshot)),
    remove: (id) => call(() => void removed.push(id)),
    readAll: () => call(() => ({ snapshots: [...stored, ...written], unreadable: 0 })),
  };
}
