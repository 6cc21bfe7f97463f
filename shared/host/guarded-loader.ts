import type { Verdict } from '../breaker/evidence.ts';
import { CasaLinguaError } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import { ModelDrainingError, PreemptedError } from './errors.ts';
import type { LoadGuard } from './load-guard.ts';
import type { LoadedWorker, ModelLoader } from './model-loader.ts';

/** The same loader behind a guard: an attempt that the guard refuses fails at once, with BreakerOpenError. */
export function createGuardedLoader(loader: ModelLoader, guard: LoadGuard): ModelLoader {
  return {
    thawed: () => loader.thawed(),
    async load(manifest, observer, signal) {
      let loading: Promise<LoadedWorker> | undefined;
      // A load that was told to stop says all that it has to say by that: it may take long to end, or never do.
      const attempt = () => {
        loading = loader.load(manifest, observer, signal);
        return untilAborted(loading, signal);
      };
      try {
        return await guard.run(manifest, attempt, verdictOfLoad);
      } catch (refusal) {
        // The host hears of an attempt when nothing is left of it.
        if (loading !== undefined) return await loading;
        throw refusal;
      }
    },
  };
}

/**
 * What an attempt that failed says of loading this version. What has failed for good is not tried again in any case, and
 * whoever takes a load back says nothing of it.
 */
export function verdictOfLoad(thrown: unknown): Verdict {
  if (thrown instanceof PreemptedError || thrown instanceof ModelDrainingError) return 'neutral';
  return thrown instanceof CasaLinguaError && !thrown.retryable ? 'neutral' : 'failure';
}
