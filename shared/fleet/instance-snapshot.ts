import type { BreakerReport } from '../breaker/breaker-state.ts';
import type { HostReport } from '../host/model-host.ts';
import type { InstanceEvent } from './instance-event.ts';
import type { InstanceTraffic } from './instance-traffic.ts';

/** How the instance came to be; `process`: not by Lambda. */
export type Initialization = 'on-demand' | 'provisioned-concurrency' | 'process';

/** What does not change as long as an instance lives. */
export interface InstanceIdentity {
  /** Unique in the fleet; 40 characters at most, or less fits into its snapshot. */
  readonly id: string;
  /** Wall clock, ms since the epoch. */
  readonly startedAt: number;
  readonly initialization: Initialization;
  /** The project's version. */
  readonly bundle: string;
}

/** What one instance holds at one moment. */
export interface InstanceSnapshot extends InstanceIdentity {
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  /** Wall clock, ms since the epoch: from then on nobody counts with the instance. */
  readonly expiresAt: number;
  /** Percent of one core, lately. */
  readonly cpuPercent: number;
  readonly report: HostReport;
  /** In the fleet's view those alone that are not at rest, CLOSED without a failure. */
  readonly breakers: readonly BreakerReport[];
  /** Names of the circuit breakers before models that calls came to within the last minute, refused ones included. */
  readonly asked: readonly string[];
  /** By model id, the `seq` of the operators' wish that was carried out last. */
  readonly wishes: ReadonlyMap<string, number>;
  /** Undefined where it had no room, or an older version of this project wrote it. */
  readonly traffic: InstanceTraffic | undefined;
  /** The last ones, the newest first, as far as there was room. */
  readonly events: readonly InstanceEvent[];
  /** Models of the report that had no room: they are all UNLOADED. */
  readonly leftOut: number;
}

/** How long an instance that says nothing counts as live: about as long as Lambda keeps an idle one. */
export const LIVE_MS = 5 * 60_000;
/** The longest time between two snapshots of an instance that serves. */
export const PERIOD_MS = 30_000;
/** The shortest time between two snapshots while something loads. */
export const LOADING_PERIOD_MS = 2_000;

export interface SnapshotsRead {
  /** Expired ones included. */
  readonly snapshots: readonly InstanceSnapshot[];
  /** Items that another version of this project wrote and that cannot be understood here. */
  readonly unreadable: number;
}

/** Where instances tell of themselves. Every method throws StoreUnavailableError, StoreRefusedError or the signal's reason. */
export interface InstanceSnapshots {
  /** In place of the instance's last one. */
  write(snapshot: InstanceSnapshot, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** The instance has ended; one that is not there is no failure. */
  remove(id: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
  readAll(options?: { readonly signal?: AbortSignal }): Promise<SnapshotsRead>;
}

/** An instance as others see it. */
export interface SeenInstance {
  readonly snapshot: InstanceSnapshot;
  /** It has said nothing for two periods: idle and frozen, or gone. */
  readonly stale: boolean;
}

/** All live instances, as far as it is known. */
export interface FleetView {
  readonly instances: readonly SeenInstance[];
  /** In words, why the instances are not, or not all, those of now. */
  readonly reasons: readonly string[];
}
