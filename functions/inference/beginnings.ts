import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import { Breakers } from '../../shared/breaker/breakers.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { createFleetCatalog } from '../../shared/fleet/fleet-catalog.ts';
import { guardStores } from '../../shared/fleet/guarded-stores.ts';
import { createLateStores } from '../../shared/fleet/late-stores.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { compileEngine } from '../../shared/runtime/compiled-engine.ts';

export type Beginnings = ReturnType<typeof beginWith>;

/**
 * What is under way before the rest of the function is there: the engine's compilation, the import of AWS's SDK and, when it is
 * asked, the catalog. All of it takes its time elsewhere, or waits for a store.
 * @param assets folder of the bundle, with the worker and the engine; ends with a slash
 */
export function beginWith(settings: Settings, env: NodeJS.ProcessEnv, assets: URL) {
  const engine = compileEngine(assets, settings.threads);
  const clock = createBreakerClock(systemClock.now);
  let told = (_step: BreakerTransition) => {};
  const breakers = new Breakers(clock, (step) => told(step));
  const stores = guardStores(createLateStores(settings), breakers);
  return {
    env,
    settings,
    engine,
    breakerClock: clock,
    breakers,
    stores,
    catalog: createFleetCatalog(settings, stores),
    isProvisioned: env['AWS_LAMBDA_INITIALIZATION_TYPE'] === 'provisioned-concurrency',
    /** Who is told when a breaker steps: it takes more calls to open one than are made before there is somebody. */
    onTransition(listener: (step: BreakerTransition) => void): void {
      told = listener;
    },
  };
}
