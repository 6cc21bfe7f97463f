import type { FleetView } from '../../shared/fleet/instance-snapshot.ts';
import type { CatalogView } from './catalog-view.ts';
import { type FleetModel, fleetModels } from './fleet-models.ts';

/** Ids that every instance loads at its start, or all of the catalog. */
export type Preloads = readonly string[] | 'all';

export interface Readiness {
  readonly ready: boolean;
  /** Ids of the models that can be served. */
  readonly models: readonly string[];
  readonly reasons: readonly string[];
}

/** Whether requests can be served: there are models, and where instances are awake, those to preload are READY. */
export function readinessOf(catalog: CatalogView, fleet: FleetView, preloadModels: Preloads): Readiness {
  const awaited = awaitedModels(catalog, fleet, preloadModels);
  return {
    ready: catalog.manifests.length > 0 && awaited.length === 0,
    models: catalog.manifests.map(({ id }) => id),
    reasons: [...catalog.reasons, ...fleet.reasons, ...awaited],
  };
}

/**
 * In words, the models to preload that no live instance has READY. Where none has told of itself lately, nothing is
 * awaited: an idle instance is frozen, with its load if it has one, and only a request makes it go on.
 */
export function awaitedModels(
  { manifests }: CatalogView,
  { instances }: FleetView,
  preloadModels: Preloads,
): readonly string[] {
  if (instances.every(({ stale }) => stale)) return [];
  const models = new Map(fleetModels(manifests, instances).map((model) => [model.name, model]));
  const ids = preloadModels === 'all' ? manifests.map(({ id }) => id) : preloadModels;
  return ids.flatMap((id) => {
    const model = models.get(id);
    return model?.ready ? [] : [`model ${id}, which is to be preloaded, ${whyNot(model)}`];
  });
}

function whyNot(model: FleetModel | undefined): string {
  if (model === undefined) return 'is not published';
  return `is not READY on any instance: ${model.status}, ${Math.floor(model.loadingProgress * 100)} %`;
}
