import { pathToFileURL } from 'node:url';
import { Hono } from 'hono';
import { composeControl } from '../../functions/control/compose.ts';
import { begin } from '../../functions/inference/begin.ts';
import { composeInference, type Inference } from '../../functions/inference/compose.ts';
import { composeMonitor, type Monitor } from '../../functions/monitor/compose.ts';
import { fleetOfOne } from '../../shared/fleet/snapshot-source.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import type { Log } from '../../shared/observability/log.ts';
import { PROMETHEUS_TYPE, PrometheusMetrics } from '../../shared/observability/prometheus-metrics.ts';
import { matchRoute, routes } from '../routes.ts';

export interface SingleProcess extends Pick<Inference, 'gate' | 'host' | 'preload' | 'close'> {
  /** The two functions behind the routes that the gateway has. */
  readonly app: Hono<HttpEnv>;
  /** What a schedule is to call. */
  readonly monitor: Monitor;
}

/**
 * All functions in one process that serves many requests at once, as a container or a managed instance does.
 * @param inferenceFolder the inference function's bundle, for its worker and engine
 * @throws SettingsInvalidError
 */
export function composeSingleProcess(env: NodeJS.ProcessEnv, inferenceFolder: string, log?: Log): SingleProcess {
  const assets = pathToFileURL(`${inferenceFolder}/`);
  const metrics = new PrometheusMetrics();
  const inference = composeInference(begin(env, assets), { log, metrics });
  // It is an instance itself, and need not ask the store about it, nor be woken by Lambda.
  const wakeFleet = () => inference.lookAtNews();
  const metricsPage = async () => ({ mediaType: PROMETHEUS_TYPE, text: await metrics.text() });
  const pages = new URL('../control/', assets);
  const control = composeControl(env, {
    assets,
    pages,
    instances: fleetOfOne(inference.take),
    admission: () => inference.gate.report(),
    wakeFleet,
    log,
    metrics,
    metricsPage,
  });
  const monitor = composeMonitor(env, { assets, log, metrics });
  const apps = { inference: inference.app, control: control.app };
  const app = new Hono<HttpEnv>();
  // A path that the gateway does not know gets the control function's problem document.
  app.all('*', (c) => apps[matchRoute(routes, c.req.path)?.function ?? 'control'].fetch(c.req.raw, c.env));
  const { gate, host, preload, close } = inference;
  return { app, monitor, gate, host, preload, close };
}
