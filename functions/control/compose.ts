import type { Hono } from 'hono';
import { readSettings } from '../../shared/config/settings.ts';
import { VERSION } from '../../shared/config/version.ts';
import { createFleetCatalog } from '../../shared/fleet/fleet-catalog.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import type { RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { createApp } from './app.ts';

export interface Control {
  readonly app: Hono<HttpEnv>;
  readonly catalog: RepositoryCatalog;
}

/** The whole control function, by its environment. @throws SettingsInvalidError */
export function composeControl(env: NodeJS.ProcessEnv): Control {
  const settings = readSettings(env);
  const clock = systemClock;
  const log = createJsonLog((line) => process.stdout.write(`${line}\n`), clock);
  const catalog = createFleetCatalog(settings, createLateStores(settings));
  return { app: createApp({ catalog, log, clock, version: VERSION }), catalog };
}
