import type { SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import type { ModelStatus } from '../../shared/host/model-host.ts';
import type { ModelState } from '../../shared/host/model-state.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';

/** One version of a model on one live instance. */
export interface HeldModel {
  readonly instance: string;
  readonly stale: boolean;
  readonly model: ModelStatus;
}

/** A model over all live instances and all its versions. */
export interface FleetModel {
  readonly name: string;
  /** The active one; null when the catalog does not have the model any more, or not now. */
  readonly version: string | null;
  /** The furthest that any instance has come. */
  readonly status: ModelState;
  readonly loadingProgress: number;
  /** READY on a live instance. */
  readonly ready: boolean;
  /** How many times it is held in each state; states without are left out. */
  readonly states: Readonly<Partial<Record<ModelState, number>>>;
  readonly held: readonly HeldModel[];
}

/** From the furthest on: what serves, what comes, what goes, what is not there. */
const order: readonly ModelState[] = [
  'READY',
  'WARMING',
  'INITIALIZING',
  'DOWNLOADING',
  'QUEUED',
  'DRAINING',
  'FAILED',
  'UNLOADED',
];

/** Every model of the catalog, every other that an instance holds, and those of `others`, by name. */
export function fleetModels(
  manifests: readonly Manifest[],
  instances: readonly SeenInstance[],
  others: readonly string[] = [],
): readonly FleetModel[] {
  const versions = new Map(manifests.map(({ id, version }) => [id, version]));
  const held = new Map<string, HeldModel[]>([...versions.keys(), ...others].map((id) => [id, []]));
  for (const { snapshot, stale } of instances) {
    for (const model of snapshot.report.models) {
      const places = held.get(model.id) ?? [];
      held.set(model.id, places);
      places.push({ instance: snapshot.id, stale, model });
    }
  }
  return [...held]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, places]) => summary(name, versions.get(name) ?? null, places));
}

function summary(name: string, version: string | null, held: readonly HeldModel[]): FleetModel {
  const counts = order.map((state) => [state, held.filter(({ model }) => model.state === state).length] as const);
  const states = Object.fromEntries(counts.filter(([, count]) => count > 0));
  return {
    name,
    version,
    status: order.find((state) => state in states) ?? 'UNLOADED',
    loadingProgress: Math.max(0, ...held.map(({ model }) => model.progress)),
    ready: 'READY' in states,
    states,
    held,
  };
}
