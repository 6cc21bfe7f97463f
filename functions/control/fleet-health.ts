import type { FleetView, SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import { failureOf, loadingTroubles } from '../../shared/fleet/instance-troubles.ts';
import type { CatalogView } from './catalog-view.ts';
import { type FleetBreaker, openBreakers } from './fleet-breakers.ts';
import type { FleetModel } from './fleet-models.ts';
import { awaitedModels, type Preloads } from './readiness.ts';

export interface FleetHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** In words: all that speaks against `healthy`, then what else is worth knowing. */
  readonly reasons: readonly string[];
}

/** The fleet's breakers, and in words why they are not those of now. */
export interface BreakersView {
  readonly breakers: readonly FleetBreaker[];
  readonly reasons: readonly string[];
}

/**
 * Unhealthy: no instance has a model READY, and none is published, or all have FAILED. Degraded: something cannot be
 * served, or nobody can tell. Idle instances, or none, are healthy.
 */
export function healthOf(
  catalog: CatalogView,
  fleet: FleetView,
  models: readonly FleetModel[],
  { breakers, reasons: digestReasons }: BreakersView,
  preloadModels: Preloads,
  now: number,
): FleetHealth {
  const faults = [
    ...catalog.reasons,
    ...fleet.reasons,
    ...digestReasons,
    ...awaitedModels(catalog, fleet, preloadModels),
    ...models.flatMap(failures),
    ...fleet.instances.flatMap(({ snapshot }) => loadingTroubles(snapshot)),
    ...openBreakers(breakers, now),
  ];
  const hope = models.some(({ ready, version, status }) => ready || (version !== null && status !== 'FAILED'));
  const faulty = faults.length > 0 ? 'degraded' : 'healthy';
  return { status: hope ? faulty : 'unhealthy', reasons: [...faults, ...notes(fleet.instances)] };
}

/** One line for each way in which a model has FAILED, however many instances it did so on. */
function failures({ held }: FleetModel): readonly string[] {
  const counts = new Map<string, number>();
  for (const { model } of held) {
    const failure = failureOf(model);
    if (failure === undefined) continue;
    counts.set(failure, (counts.get(failure) ?? 0) + 1);
  }
  return [...counts].map(([failure, count]) => (count === 1 ? failure : `${failure} (on ${count} instances)`));
}

function notes(instances: readonly SeenInstance[]): readonly string[] {
  if (instances.length === 0) return ['no instance has told of itself lately: the next request starts or wakes one'];
  const stale = instances.filter((instance) => instance.stale).length;
  return [
    ...(stale === 0 ? [] : [`${stale} of ${instances.length} instances said nothing for a minute: idle, or gone`]),
    ...instances
      .filter(({ snapshot }) => snapshot.leftOut > 0)
      .map(({ snapshot }) => `instance ${snapshot.id} leaves out ${snapshot.leftOut} of its unloaded models`),
  ];
}
