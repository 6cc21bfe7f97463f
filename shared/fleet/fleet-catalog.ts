import type { Settings } from '../config/settings.ts';
import { systemClock } from '../repository/clock.ts';
import { RepositoryCatalog } from '../repository/repository-catalog.ts';
import type { Stores } from './stores.ts';

/** The catalog as every function has it: manifests from S3, active versions from DynamoDB. */
export function createFleetCatalog(settings: Settings, { objects, active, retries }: Stores): RepositoryCatalog {
  const { models, pins, catalogTtlMs, storeTimeoutMs, storeFirstTimeoutMs } = settings;
  return new RepositoryCatalog({
    store: objects,
    active,
    models,
    pins,
    clock: systemClock,
    random: Math.random,
    retries: retries.s3,
    ttlMs: catalogTtlMs,
    storeTimeoutMs,
    storeFirstTimeoutMs,
  });
}
