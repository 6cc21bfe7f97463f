import type { Hono } from 'hono';
import type { Reading } from '../../shared/fleet/cached-reading.ts';
import type { FleetView } from '../../shared/fleet/instance-snapshot.ts';
import type { Item } from '../../shared/fleet/table/fleet-table.ts';
import { createHttpApp } from '../../shared/http/app.ts';
import type { Clock, HttpEnv } from '../../shared/http/environment.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { viewCatalog } from './catalog-view.ts';
import { fleetBreakers } from './fleet-breakers.ts';
import { healthOf } from './fleet-health.ts';
import { fleetModels } from './fleet-models.ts';
import { detailedDocument, modelsDocument } from './health-document.ts';
import { type Preloads, readinessOf } from './readiness.ts';

export interface ControlDeps {
  readonly catalog: Catalog;
  /** The live instances that hold models; does not wake any, and does not reject. */
  readonly instances: () => Promise<FleetView>;
  /** What all instances share; does not reject. */
  readonly digest: () => Promise<Reading<Item | undefined>>;
  /** Ids that every instance loads at its start, or all of the catalog. */
  readonly preloadModels: Preloads;
  readonly log: Log;
  readonly clock: Clock;
  /** The project's version. */
  readonly version: string;
}

/** The small app: whether the service is alive, whether it can serve, and how it is. */
export function createApp(deps: ControlDeps): Hono<HttpEnv> {
  const { catalog, instances, digest, preloadModels, log, clock, version } = deps;
  const timestamp = () => new Date(clock.now()).toISOString();

  const look = async () => {
    const [published, fleet, { known, failure }] = await Promise.all([viewCatalog(catalog), instances(), digest()]);
    const models = fleetModels(published.manifests, fleet.instances);
    const breakers = fleetBreakers(fleet.instances, known);
    const reasons = failure === undefined ? [] : [`the fleet's breakers cannot be read: ${failure}`];
    const now = clock.now();
    return {
      fleet,
      models,
      breakers,
      health: healthOf(published, fleet, models, { breakers, reasons }, preloadModels, now),
    };
  };

  return createHttpApp({ log, clock })
    .get('/health', (c) => c.json({ status: 'ok', timestamp: timestamp(), version }))
    .get('/health/detailed', async (c) => {
      const { fleet, models, breakers, health } = await look();
      return c.json(detailedDocument(health, models, fleet.instances, breakers, clock.now()));
    })
    .get('/health/models', async (c) => {
      const { models, health } = await look();
      return c.json(modelsDocument(health, models, clock.now()));
    })
    .get('/liveness', (c) => c.json({ status: 'alive', timestamp: timestamp() }))
    .get('/readiness', async (c) => {
      const [published, fleet] = await Promise.all([viewCatalog(catalog), instances()]);
      const { ready, models, reasons } = readinessOf(published, fleet, preloadModels);
      const status = ready ? 'ready' : 'not ready';
      return c.json({ status, models, reasons, timestamp: timestamp() }, ready ? 200 : 503);
    });
}
