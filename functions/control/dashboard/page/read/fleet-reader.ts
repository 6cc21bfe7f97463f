import type { Access } from '../act/access.ts';
import type { AccessDocument, AdminModelsDocument, HealthDocument, MemorySnapshotsDocument } from './documents.ts';
import type { Outcome } from './poller.ts';
import type { Failure, Service } from './service.ts';

/** Everything that was read, each as of its last good reading. */
export interface Reading {
  readonly health: HealthDocument | undefined;
  readonly models: AdminModelsDocument | undefined;
  readonly access: Access;
  /** Own wall clock when `health` came, ms; undefined: never. */
  readonly readAt: number | undefined;
  /** Why the last reading of `health` failed. */
  readonly failure: Failure | undefined;
  /** Why something else could not be read the last time. */
  readonly otherFailure: Failure | undefined;
}

export interface FleetReaderPorts {
  readonly service: Pick<Service, 'get'>;
  /** Wall clock, ms. */
  readonly now: () => number;
  readonly isBusy: () => boolean;
  /** There is a new reading; `before` is the one that it replaces. */
  readonly changed: (before: Reading) => void;
  /** What was before the page was opened. */
  readonly remembered: (snapshots: MemorySnapshotsDocument) => void;
}

/** What operators want changes seldom, and costs the service a look into the store. */
const MODELS_MS = 15_000;
/** One every five minutes: the longest time that charts show. */
const SNAPSHOTS = 72;
/** Until it is tried again after a failure. */
const SNAPSHOTS_MS = 60_000;
/** After such a gap, there is something to catch up with. */
const GAP_MS = 10 * 60_000;

/** Reads what the page shows. Nothing that was read is thrown away because something else failed. */
export class FleetReader {
  readonly #ports: FleetReaderPorts;
  #reading: Reading = nothing;
  #modelsAt = Number.NEGATIVE_INFINITY;
  #isRemembered = false;
  #askedSnapshotsAt = Number.NEGATIVE_INFINITY;

  constructor(ports: FleetReaderPorts) {
    this.#ports = ports;
  }

  get reading(): Reading {
    return this.#reading;
  }

  /** Somebody else looks from now on. */
  forgetCaller(): void {
    this.#reading = { ...this.#reading, access: undefined };
  }

  /** For `Poller`. */
  async read(signal: AbortSignal): Promise<Outcome> {
    const { service, now, isBusy, changed, remembered } = this.#ports;
    const before = this.#reading;
    const startedAt = now();
    const needsModels = isBusy() || startedAt - this.#modelsAt >= MODELS_MS;
    const isGap = before.readAt !== undefined && startedAt - before.readAt > GAP_MS;
    const needsSnapshots = isGap || (!this.#isRemembered && startedAt - this.#askedSnapshotsAt >= SNAPSHOTS_MS);
    // One after the other: the page is served by one instance as well as by many.
    const health = await service.get<HealthDocument>('health/detailed', signal);
    const healthAt = now();
    const asked = async <Body>(isNeeded: boolean, path: string) =>
      isNeeded && health.ok ? service.get<Body>(path, signal) : undefined;
    const access = await asked<AccessDocument>(before.access === undefined, 'admin/access');
    const models = await asked<AdminModelsDocument>(needsModels, 'admin/models');
    const snapshots = await asked<MemorySnapshotsDocument>(needsSnapshots, `admin/memory-snapshots?limit=${SNAPSHOTS}`);
    if (signal.aborted) return { kind: 'failed', retryAfterMs: 0 };
    if (models?.ok) this.#modelsAt = startedAt;
    if (snapshots !== undefined) this.#askedSnapshotsAt = startedAt;
    if (snapshots?.ok) {
      this.#isRemembered = true;
      remembered(snapshots.body);
    }
    const others = [access, models, snapshots].filter((answer) => answer?.ok === false);
    this.#reading = {
      health: health.ok ? health.body : before.health,
      models: models?.ok ? models.body : before.models,
      access: access?.ok ? access.body : before.access,
      readAt: health.ok ? healthAt : before.readAt,
      failure: health.ok ? undefined : health.failure,
      otherFailure: others[0]?.ok === false ? others[0].failure : undefined,
    };
    const outcome = health.ok ? ({ kind: 'read' } as const) : outcomeOf(health.failure);
    changed(before);
    return outcome;
  }
}

const nothing: Reading = {
  health: undefined,
  models: undefined,
  access: undefined,
  readAt: undefined,
  failure: undefined,
  otherFailure: undefined,
};

function outcomeOf(failure: Failure): Outcome {
  switch (failure.kind) {
    case 'unauthenticated':
    case 'forbidden':
      return { kind: 'locked' };
    case 'refused':
      return { kind: 'failed', retryAfterMs: failure.retryAfterMs };
    case 'silent':
    case 'unreadable':
      return { kind: 'failed', retryAfterMs: 0 };
  }
}
