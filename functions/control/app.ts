import type { Hono } from 'hono';
import { CasaLinguaError } from '../../shared/errors.ts';
import { createHttpApp } from '../../shared/http/app.ts';
import type { Clock, HttpEnv } from '../../shared/http/environment.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';

export interface ControlDeps {
  readonly catalog: Catalog;
  readonly log: Log;
  readonly clock: Clock;
  /** The project's version. */
  readonly version: string;
}

/** The small app: whether the service is alive, and whether it can serve. */
export function createApp({ catalog, log, clock, version }: ControlDeps): Hono<HttpEnv> {
  const timestamp = () => new Date(clock.now()).toISOString();
  return createHttpApp({ log, clock })
    .get('/health', (c) => c.json({ status: 'ok', timestamp: timestamp(), version }))
    .get('/liveness', (c) => c.json({ status: 'alive', timestamp: timestamp() }))
    .get('/readiness', async (c) => {
      const { models, reasons } = await readiness(catalog);
      const status = models.length > 0 ? 'ready' : 'not ready';
      return c.json({ status, models, reasons, timestamp: timestamp() }, models.length > 0 ? 200 : 503);
    });
}

/** The models that can be served, and in words why others, or all, cannot. */
async function readiness(catalog: Catalog): Promise<{ models: readonly string[]; reasons: readonly string[] }> {
  try {
    const models = (await catalog.models()).map(({ id }) => id);
    const reasons = [...catalog.problems()].map(([id, error]) => `model ${id}: ${error.message}`);
    return { models, reasons: models.length + reasons.length > 0 ? reasons : ['no model is published'] };
  } catch (error) {
    if (!(error instanceof CasaLinguaError)) throw error;
    return { models: [], reasons: [`the catalog of models cannot be read: ${error.message}`] };
  }
}
