import type { Limits } from '../../shared/config/settings.ts';
import { instanceHealthDocument } from '../../shared/fleet/instance-document.ts';
import type { TakeSnapshot } from '../../shared/fleet/snapshot-source.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import type { RequestObserver } from '../../shared/http/access-log.ts';
import { asProblem, createHttpApp, type DescribeFailure } from '../../shared/http/app.ts';
import type { Authenticate } from '../../shared/http/auth/authenticate.ts';
import { limitBody } from '../../shared/http/body-limit.ts';
import { deadline } from '../../shared/http/deadline.ts';
import type { Clock } from '../../shared/http/environment.ts';
import type { AcceptWork } from '../../shared/http/rate-limit.ts';
import { type Sleeper, wakes } from '../../shared/http/wakes.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { inferenceAccess } from './access.ts';
import { createDetect } from './detect-service.ts';
import { refuseEarly } from './early-refusal.ts';
import { createFallbackRun } from './fallback-run.ts';
import { createFallbacks } from './fallbacks.ts';
import { libreTranslateRoutes } from './libretranslate.ts';
import { asLibreTranslateFailure, isLibreTranslatePath } from './libretranslate-failure.ts';
import { createRunModel, type RunGuards } from './model-run.ts';
import { pipelineRoutes } from './pipeline.ts';
import { asPipelineFailure, isPipelinePath } from './pipeline-envelope.ts';
import { createTranslateService } from './translate-service.ts';

export interface InferenceDeps {
  readonly authenticate: Authenticate;
  /** Holds callers to their limits. */
  readonly accept: AcceptWork;
  readonly host: ModelHost;
  readonly guards: RunGuards;
  readonly catalog: Catalog;
  /** Which model, by id, serves while another's breaker is open; goes before what the manifests say. */
  readonly fallbacks: ReadonlyMap<string, string>;
  readonly limits: Limits;
  /** What this instance holds. */
  readonly take: TakeSnapshot;
  /** Whether a request's `keep_alive` is obeyed. */
  readonly keepAliveAllowed: boolean;
  /** Called when a request begins, after the host's own `wake`: the fleet's view, and this instance's word to it. */
  readonly sleepers: readonly Sleeper[];
  /** Told of every request. */
  readonly observer?: RequestObserver;
  readonly log: Log;
  readonly clock: Clock;
  /** The project's version, told in `/pipeline` answers. */
  readonly version: string;
}

/** The app that owns models: LibreTranslate's surface and CasaLingua's `/pipeline`. */
export function createApp(deps: InferenceDeps) {
  const {
    authenticate,
    accept,
    observer,
    host,
    guards,
    catalog,
    limits,
    take,
    keepAliveAllowed,
    sleepers,
    log,
    clock,
    version,
  } = deps;
  const fallbacks = createFallbacks(deps.fallbacks);
  const run = createFallbackRun({ run: createRunModel(host, guards), catalog, fallbacks, log });
  const detect = createDetect({ run, catalog, fallbacks });
  const translations = createTranslateService({ catalog, run, detect, fallbacks });
  const limited = limitBody(limits.bodyBytes);
  const timed = deadline(clock);
  const early = { gate: guards.gate, catalog };
  return (
    createHttpApp({
      log,
      clock,
      access: inferenceAccess,
      authenticate,
      observer,
      describe,
      // LibreTranslate's clients have their key in the body, so that is read before it is known who calls.
      entrance: (app) =>
        app
          .use(wakes(host, ...sleepers))
          .use('/translate', timed, refuseEarly('translation', early), limited)
          .use('/detect', timed, refuseEarly('language-detection', early), limited)
          .use('/languages', timed, limited)
          .use('/pipeline/*', timed)
          .use('/pipeline/translate/*', refuseEarly('translation', early))
          .use('/pipeline/detect/*', refuseEarly('language-detection', early))
          .use('/pipeline/detect-language', refuseEarly('language-detection', early)),
    })
      // For whoever can reach this instance itself; the gateway has no route to it.
      .get('/instance/health', (c) => c.json(instanceHealthDocument(take(), clock.now())))
      .route('/', libreTranslateRoutes({ translations, detect, catalog, limits, accept, keepAliveAllowed }))
      .route(
        '/pipeline',
        pipelineRoutes({ translations, detect, catalog, limits, accept, keepAliveAllowed, clock, version }),
      )
  );
}

export type InferenceApp = ReturnType<typeof createApp>;

/** Each surface tells of a failure in its own shape. */
const describe: DescribeFailure = (problem, request) => {
  if (isPipelinePath(request.path)) return asPipelineFailure(problem, request);
  if (isLibreTranslatePath(request.path)) return asLibreTranslateFailure(problem, request);
  return asProblem(problem, request);
};
