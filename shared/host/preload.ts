import type { ModelLoadingSettings } from '../config/model-loading.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import type { Catalog } from '../repository/catalog.ts';
import type { Manifest } from '../repository/manifest.ts';
import type { ModelHost } from './model-host.ts';

/** Loads what is to be there from the start. */
export interface Preload {
  /** Begins, unless it has; resolves when every model is READY or has failed. Never rejects. */
  start(): Promise<void>;
}

/** The models that the configuration names, or all of the catalog under `eager`; one after the other, in this order. */
export function createPreload(deps: {
  readonly host: ModelHost;
  readonly catalog: Catalog;
  readonly settings: Pick<ModelLoadingSettings, 'strategy' | 'preloadModels'>;
  readonly log: Log;
}): Preload {
  const { host, catalog, settings, log } = deps;
  let started: Promise<void> | undefined;

  async function start(): Promise<void> {
    let manifests: readonly Manifest[];
    try {
      manifests = await wanted();
    } catch (thrown) {
      log.error('model.preload', { reason: messageOf(thrown) });
      // The catalog could not be read: the next call tries again.
      started = undefined;
      return;
    }
    for (const manifest of manifests) host.preload(manifest);
    // What fails is in the model's own state and log.
    await Promise.allSettled(manifests.map((manifest) => host.ensureReady(manifest, { priority: 'background' })));
  }

  async function wanted(): Promise<readonly Manifest[]> {
    const { strategy, preloadModels } = settings;
    if (strategy !== 'eager' && preloadModels.length === 0) return [];
    const models = await catalog.models();
    const named = preloadModels.flatMap((id) => models.find((manifest) => manifest.id === id) ?? []);
    const missing = preloadModels.filter((id) => !named.some((manifest) => manifest.id === id));
    if (missing.length > 0) log.warn('model.preload', { missing, reason: 'no version of these can be served' });
    return strategy === 'eager' ? [...new Set([...named, ...models])] : named;
  }

  return {
    start: () => {
      started ??= start();
      return started;
    },
  };
}
