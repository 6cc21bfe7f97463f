import type { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Limits } from '../../shared/config/settings.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import { asProblem, createHttpApp, type DescribeFailure } from '../../shared/http/app.ts';
import type { Clock, HttpEnv } from '../../shared/http/environment.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { createDetect } from './detect-service.ts';
import { createFallbackRun } from './fallback-run.ts';
import { createFallbacks } from './fallbacks.ts';
import { libreTranslateRoutes } from './libretranslate.ts';
import { createRunModel, type RunGuards } from './model-run.ts';
import { pipelineRoutes } from './pipeline.ts';
import { asPipelineFailure, isPipelinePath } from './pipeline-envelope.ts';
import { createTranslateService } from './translate-service.ts';

export interface InferenceDeps {
  readonly host: ModelHost;
  readonly guards: RunGuards;
  readonly catalog: Catalog;
  /** Which model, by id, serves while another's breaker is open; goes before what the manifests say. */
  readonly fallbacks: ReadonlyMap<string, string>;
  readonly limits: Limits;
  /** Whether a request's `keep_alive` is obeyed. */
  readonly keepAliveAllowed: boolean;
  /** Called when a request begins, after the host's own `wake`: the fleet's view, and this instance's word to it. */
  readonly sleepers: readonly { wake(): void }[];
  readonly log: Log;
  readonly clock: Clock;
  /** The project's version, told in `/pipeline` answers. */
  readonly version: string;
}

/** The app that owns models: LibreTranslate's surface and CasaLingua's `/pipeline`. */
export function createApp(deps: InferenceDeps): Hono<HttpEnv> {
  const { host, guards, catalog, limits, keepAliveAllowed, sleepers, log, clock, version } = deps;
  const fallbacks = createFallbacks(deps.fallbacks);
  const run = createFallbackRun({ run: createRunModel(host, guards), catalog, fallbacks, log });
  const detect = createDetect({ run, catalog, fallbacks });
  const translations = createTranslateService({ catalog, run, detect, fallbacks });
  return createHttpApp({ log, clock, describe })
    .use(wakes(host, ...sleepers))
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
