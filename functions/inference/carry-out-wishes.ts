import { CasaLinguaError, messageOf } from '../../shared/errors.ts';
import type { WishKeeperOptions } from '../../shared/fleet/wishes/wish-keeper.ts';
import type { ModelHost } from '../../shared/host/model-host.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import type { Clock } from '../../shared/repository/clock.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { retry } from '../../shared/repository/retry.ts';

/** Questions to a catalog whose store is away, in some 14 s on average: its breaker stays open for 10. */
const ATTEMPTS = 20;

/** What operators want of this instance, as it is done. */
export interface CarryOut {
  readonly carryOut: WishKeeperOptions['carryOut'];
  /** When all that is wanted so far is done, or has failed; undefined: it is already. Never rejects. */
  underWay(): Promise<void> | undefined;
}

/**
 * Does what an operator wants of a model on this instance. A load goes on with the requests that follow; one that fails is
 * told in the log and in health, and is not wished again. That the store is away for a moment makes none fail: nobody would wish it again.
 */
export function createCarryOut(deps: {
  readonly host: Pick<ModelHost, 'ensureReady' | 'pin' | 'status' | 'unload' | 'unpin'>;
  readonly catalog: Pick<Catalog, 'model'>;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Log;
}): CarryOut {
  const { host, catalog, clock, random, log } = deps;
  const underWay = new Set<Promise<void>>();
  /** How often something was wanted of each model: what is wanted last counts. */
  const wishes = new Map<string, number>();

  return {
    carryOut(model, want, until) {
      log.info('model.wish', { model, want: want ?? 'nothing' });
      wishes.set(model, (wishes.get(model) ?? 0) + 1);
      switch (want) {
        case 'pinned':
          host.pin(model, until);
          begin(model, load(model));
          break;
        case 'loaded':
          host.unpin(model);
          begin(model, load(model));
          break;
        case 'unloaded':
          host.unpin(model);
          begin(model, unload(model));
          break;
        case undefined:
          host.unpin(model);
      }
    },
    underWay: () => (underWay.size === 0 ? undefined : Promise.all(underWay).then(() => undefined)),
  };

  function begin(model: string, work: Promise<void>): void {
    const done = work
      .catch((thrown: unknown) => {
        const code = thrown instanceof CasaLinguaError ? thrown.code : undefined;
        log.warn('model.wish', { model, code, reason: messageOf(thrown) });
      })
      .finally(() => underWay.delete(done));
    underWay.add(done);
  }

  async function load(model: string): Promise<void> {
    const wish = wishes.get(model);
    const known = async () => (wishes.get(model) === wish ? catalog.model(model) : undefined);
    const manifest = await retry(known, { attempts: ATTEMPTS, clock, random });
    if (manifest !== undefined) await host.ensureReady(manifest, { priority: 'background' });
  }

  async function unload(model: string): Promise<void> {
    const versions = host.status().filter(({ id }) => id === model);
    await Promise.all(versions.map((version) => host.unload(modelKey(version))));
  }
}
