import { pathToFileURL } from 'node:url';
import { Hono } from 'hono';
import { composeControl } from '../../functions/control/compose.ts';
import { composeInference, type Inference } from '../../functions/inference/compose.ts';
import { composeMonitor, type Monitor } from '../../functions/monitor/compose.ts';
import { fleetOfOne } from '../../shared/fleet/snapshot-source.ts';
import type { Log } from '../../shared/observability/log.ts';
import { matchRoute, routes } from '../routes.ts';

export interface SingleProcess extends Pick<Inference, 'host' | 'preload' | 'close'> {
  /** The two functions behind the routes that the gateway has. */
  readonly app: Hono;
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
  const inference = composeInference(env, assets, log);
  // It is an instance itself, and need not ask the store about it.
  const control = composeControl(env, { assets, instances: fleetOfOne(inference.take), log });
  const monitor = composeMonitor(env, { assets, log });
  const apps = { inference: inference.app, control: control.app };
  const app = new Hono();
  // A path that the gateway does not know gets the control function's problem document.
  app.all('*', (c) => apps[matchRoute(routes, c.req.path)?.function ?? 'control'].fetch(c.req.raw));
  const { host, preload, close } = inference;
  return { app, monitor, host, preload, close };
}
