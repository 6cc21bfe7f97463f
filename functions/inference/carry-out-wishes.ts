import { CasaLinguaError, messageOf } from '../../shared/errors.ts';
import type { WishKeeperOptions } from '../../shared/fleet/wishes/wish-keeper.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { modelKey } from '../../shared/repository/manifest.ts';

/**
 * Does what an operator wants of a model on this instance. A load goes on with the requests that follow; one that fails is
 * told in the log and in health, and is not wished again.
 */
export function createCarryOut(deps: {
  readonly host: Pick<ModelHost, 'ensureReady' | 'pin' | 'status' | 'unload' | 'unpin'>;
  readonly catalog: Pick<Catalog, 'model'>;
  readonly log: Log;
}): WishKeeperOptions['carryOut'] {
  const { host, catalog, log } = deps;
  return (model, want, until) => {
    log.info('model.wish', { model, want: want ?? 'nothing' });
    switch (want) {
      case 'pinned':
        host.pin(model, until);
        void load(model);
        break;
      case 'loaded':
        host.unpin(model);
        void load(model);
        break;
      case 'unloaded':
        host.unpin(model);
        void unload(model);
        break;
      case undefined:
        host.unpin(model);
    }
  };

  async function load(model: string): Promise<void> {
    try {
      await host.ensureReady(await catalog.model(model), { priority: 'background' });
    } catch (thrown) {
      const code = thrown instanceof CasaLinguaError ? thrown.code : undefined;
      log.warn('model.wish', { model, code, reason: messageOf(thrown) });
    }
  }

  async function unload(model: string): Promise<void> {
    const versions = host.status().filter(({ id }) => id === model);
    await Promise.all(versions.map((version) => host.unload(modelKey(version))));
  }
}
