import type { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Breaker } from '../../shared/breaker/breaker.ts';
import type { Limits } from '../../shared/config/settings.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import { asProblem, createHttpApp, type DescribeFailure } from '../../shared/http/app.ts';
import type { Clock, HttpEnv } from '../../shared/http/environment.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { createDetect } from './detect-service.ts';
import { libreTranslateRoutes } from './libretranslate.ts';
import { createRunModel } from './model-run.ts';
import { pipelineRoutes } from './pipeline.ts';
import { asPipelineFailure, isPipelinePath } from './pipeline-envelope.ts';
import { createTranslateService } from './translate-service.ts';

export interface InferenceDeps {
  readonly host: ModelHost;
  /** What stands before a run of this version. */
  readonly breakerOf: (manifest: Manifest) => Breaker;
  /** Ms that a run must have had before a deadline that passes in it speaks against the model. */
  readonly fairRunMs: number;
  readonly catalog: Catalog;
  readonly limits: Limits;
  /** Whether a request's `keep_alive` is obeyed. */
  readonly keepAliveAllowed: boolean;
  /** Called when a request begins, after the host's own `wake`. */
  readonly snapshots: { wake(): void };
  readonly log: Log;
  readonly clock: Clock;
  /** The project's version, told in `/pipeline` answers. */
  readonly version: string;
}

/** The app that owns models: LibreTranslate's surface and CasaLingua's `/pipeline`. */
export function createApp(deps: InferenceDeps): Hono<HttpEnv> {
  const { host, breakerOf, fairRunMs, catalog, limits, keepAliveAllowed, snapshots, log, clock, version } = deps;
  const run = createRunModel(host, breakerOf, fairRunMs);
  const detect = createDetect(run, catalog);
  const translations = createTranslateService({ catalog, run, detect });
  return createHttpApp({ log, clock, describe })
    .use(wakes(host, snapshots))
    .route('/', libreTranslateRoutes({ translations, detect, catalog, limits, keepAliveAllowed, clock }))
    .route('/pipeline', pipelineRoutes({ translations, detect, catalog, limits, keepAliveAllowed, clock, version }));
}

/** No timer runs while an instance is frozen: what is due by the clock is done when a request comes. */
const wakes = (...sleepers: readonly { wake(): void }[]) =>
  createMiddleware<HttpEnv>(async function wakes(_c, next) {
    for (const sleeper of sleepers) sleeper.wake();
    await next();
  });

/** Each surface tells of a failure in its own shape. */
const describe: DescribeFailure = (problem, request) => {
  if (isPipelinePath(request.path)) return asPipelineFailure(problem, request);
  if (request.path === '/translate' && problem.status === 500) {
    return asProblem({ ...problem, error: `Cannot translate text: ${problem.detail}` }, request);
  }
  return asProblem(problem, request);
};
