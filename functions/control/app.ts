import type { AdmissionReport } from '../../shared/admission/admission-report.ts';
import type { Reading } from '../../shared/fleet/cached-reading.ts';
import type { FleetView } from '../../shared/fleet/instance-snapshot.ts';
import type { Item } from '../../shared/fleet/table/fleet-table.ts';
import type { RequestObserver } from '../../shared/http/access-log.ts';
import { createHttpApp } from '../../shared/http/app.ts';
import type { Authenticate } from '../../shared/http/auth/authenticate.ts';
import type { Clock } from '../../shared/http/environment.ts';
import { type Sleeper, wakes } from '../../shared/http/wakes.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { controlAccess } from './access.ts';
import { adminRoutes } from './admin/admin-routes.ts';
import type { AdminView } from './admin/admin-view.ts';
import type { DeployedModels } from './admin/deployed-models.ts';
import type { Operator } from './admin/operator.ts';
import { viewCatalog } from './catalog-view.ts';
import { dashboardRoutes } from './dashboard/dashboard-routes.ts';
import { fleetBreakers, notClosed } from './fleet-breakers.ts';
import { healthOf } from './fleet-health.ts';
import { fleetModels } from './fleet-models.ts';
import { detailedDocument, modelsDocument } from './health-document.ts';
import { limitOf, type ReadMemoryHistory } from './memory-history.ts';
import type { MetricsPage } from './metrics-page.ts';
import { readinessOf } from './readiness.ts';
import { type StaticFiles, serveFile } from './static-files.ts';

export interface ControlDeps {
  readonly authenticate: Authenticate;
  /** Called when a request begins. @default - nobody */
  readonly sleepers?: readonly Sleeper[];
  readonly catalog: Catalog;
  /** The live instances that hold models; does not wake any, and does not reject. */
  readonly instances: () => Promise<FleetView>;
  /** What all instances share; does not reject. */
  readonly digest: () => Promise<Reading<Item | undefined>>;
  /** The same, read anew: what an operator has just changed is in it. */
  readonly digestNow: () => Promise<Reading<Item | undefined>>;
  readonly deployed: DeployedModels;
  readonly view: AdminView;
  readonly operator: Operator;
  /** The gate of admission, where this process has it itself. @default - what the instances tell of theirs */
  readonly admission?: () => AdmissionReport | undefined;
  /** What was built to be shown: the description of the API, and its page. */
  readonly files: StaticFiles;
  readonly memoryHistory: ReadMemoryHistory;
  readonly metricsPage: () => Promise<MetricsPage>;
  /** Told of every request. */
  readonly observer?: RequestObserver;
  readonly log: Log;
  readonly clock: Clock;
  /** The project's version. */
  readonly version: string;
}

/** The small app: whether the service is alive, whether it can serve, and how it is. */
export function createApp(deps: ControlDeps) {
  const { catalog, instances, digest, digestNow, deployed, view, operator, files, log, clock, version } = deps;
  const { authenticate, sleepers = [], observer, memoryHistory, metricsPage, admission } = deps;
  const preloadModels = deployed.preloads;
  const timestamp = () => new Date(clock.now()).toISOString();

  const look = async () => {
    const [published, fleet, { known, failure }] = await Promise.all([viewCatalog(catalog), instances(), digest()]);
    const models = fleetModels(published.manifests, fleet.instances);
    const breakers = fleetBreakers(fleet.instances, known);
    const reasons = unreadable(failure);
    const now = clock.now();
    return {
      fleet,
      models,
      breakers,
      health: healthOf(published, fleet, models, { breakers, reasons }, preloadModels, now),
    };
  };

  const breakersNow = async () => {
    const [fleet, { known, failure }] = await Promise.all([instances(), digestNow()]);
    return { breakers: fleetBreakers(fleet.instances, known), reasons: [...fleet.reasons, ...unreadable(failure)] };
  };

  return createHttpApp({
    log,
    clock,
    access: controlAccess,
    authenticate,
    observer,
    entrance: (app) => app.use(wakes(...sleepers)),
  })
    .get('/health', (c) => c.json({ status: 'ok', timestamp: timestamp(), version }))
    .get('/health/detailed', async (c) => {
      const { fleet, models, breakers, health } = await look();
      return c.json(detailedDocument(health, models, fleet.instances, breakers, admission?.(), clock.now()));
    })
    .get('/health/models', async (c) => {
      const { models, health } = await look();
      return c.json(modelsDocument(health, models, clock.now()));
    })
    .get('/liveness', (c) => c.json({ status: 'alive', timestamp: timestamp() }))
    .get('/readiness', async (c) => {
      const [published, fleet, { known, failure }] = await Promise.all([viewCatalog(catalog), instances(), digest()]);
      const { ready, models, reasons } = readinessOf(published, fleet, preloadModels);
      return c.json(
        {
          status: ready ? 'ready' : 'not ready',
          models,
          reasons: [...reasons, ...unreadable(failure)],
          store: failure === undefined ? 'reachable' : 'unreachable',
          breakers: notClosed(fleetBreakers(fleet.instances, known)),
          timestamp: timestamp(),
        },
        ready ? 200 : 503,
      );
    })
    .get('/metrics', async (c) => {
      const { mediaType, text } = await metricsPage();
      return c.body(text, 200, { 'content-type': mediaType });
    })
    .get('/admin/memory-snapshots', async (c) => {
      const snapshots = await memoryHistory(limitOf(c.req.query('limit')));
      return c.json({ timestamp: timestamp(), snapshots });
    })
    .route('/admin', adminRoutes({ view, operator, breakers: breakersNow, deployed, clock }))
    .route('/dashboard', dashboardRoutes(files))
    .get('/openapi.json', (c) => serveFile(c, files, descriptionFile))
    .get('/docs', (c) => serveFile(c, files, docsFile))
    .get('/docs/style.css', (c) => serveFile(c, files, docsStyle));
}

export type ControlApp = ReturnType<typeof createApp>;

/** The description of the API, and the page that is made of it: without a script, and with nothing from anywhere else. */
const descriptionFile = { name: 'openapi.json', mediaType: 'application/json' } as const;
const docsFile = {
  name: 'docs.html',
  mediaType: 'text/html; charset=utf-8',
  policy: "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
} as const;
const docsStyle = { name: 'docs.css', mediaType: 'text/css; charset=utf-8' } as const;

function unreadable(failure: string | undefined): readonly string[] {
  return failure === undefined ? [] : [`the fleet's breakers cannot be read: ${failure}`];
}
