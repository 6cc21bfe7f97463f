import type { Breaker } from '../../shared/breaker/breaker.ts';
import { guard } from '../../shared/breaker/guard.ts';
import { ModelLoadingError } from '../../shared/host/errors.ts';
import type { Lease, LeaseOptions, LoadPriority, ModelHost, ModelStatus } from '../../shared/host/model-host.ts';
import { DeadlineExceededError } from '../../shared/http/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { OutputOf, TaskInput } from '../../shared/runtime/tasks.ts';
import { verdictOfRun } from './breaker-verdict.ts';

/** How a run is made. */
export interface RunOptions extends LeaseOptions {
  readonly signal: AbortSignal;
  /** 0 to 1: what of the request was finished before, for the caller whose deadline passes in this run. */
  readonly done?: number;
}

/**
 * Leases a model, runs one task on it, and gives the lease back.
 * @throws BreakerOpenError when the model failed too often lately, ModelLoadingError when the deadline passes while the
 *   model loads, DeadlineExceededError when it passes in the run, and whatever the host and the run throw
 */
export type RunModel = <Input extends TaskInput>(
  manifest: Manifest,
  input: Input,
  options: RunOptions,
) => Promise<OutputOf<Input>>;

/** What a service's request says of its run. */
export function runOptions(request: {
  readonly signal: AbortSignal;
  readonly priority?: LoadPriority | undefined;
  readonly keepAliveMs?: number | undefined;
}): RunOptions {
  const { signal, priority, keepAliveMs } = request;
  return {
    signal,
    ...(priority === undefined ? {} : { priority }),
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
  };
}

/**
 * The only way from a request to a model. The breaker stands before the run alone: how long a model loads, or whether it can
 * be loaded, is the host's to judge.
 * @param breakerOf what stands before this version
 * @param fairMs of a run, before a deadline that passes in it speaks against the model
 */
export function createRunModel(host: ModelHost, breakerOf: (manifest: Manifest) => Breaker, fairMs: number): RunModel {
  return async (manifest, input, { done = 0, ...options }) => {
    const { signal } = options;
    const breaker = breakerOf(manifest);
    // Nobody waits for a load, or makes it begin, only to be refused then.
    if (breaker.refuses()) throw breaker.refusal();
    const lease = await take(manifest, options);
    try {
      return await guard(
        breaker,
        () => lease.run(input, { signal }),
        (thrown, tookMs) => verdictOfRun(thrown, tookMs, fairMs),
      );
    } catch (error) {
      if (!isDeadline(error, signal)) throw error;
      throw new DeadlineExceededError(`the deadline passed while model ${manifest.id} was at work`, {
        model: manifest.id,
        progress: done,
        cause: error,
      });
    } finally {
      lease.release();
    }
  };

  async function take(manifest: Manifest, options: Omit<RunOptions, 'done'>): Promise<Lease> {
    try {
      return await host.lease(manifest, options);
    } catch (error) {
      if (!isDeadline(error, options.signal)) throw error;
      const status = host.status().find(({ id, version }) => id === manifest.id && version === manifest.version);
      if (status === undefined || status.state === 'READY') throw error;
      const percent = Math.floor(status.progress * 100);
      throw new ModelLoadingError(`model ${manifest.id} is still loading (${percent} %)`, {
        model: manifest.id,
        state: status.state,
        retryAfterSeconds: retrySeconds(status),
        cause: error,
      });
    }
  }
}

/** Where the host cannot tell how long the load still takes. */
const unknownRetrySeconds = 2;
const mostRetrySeconds = 120;

/** When it is worth coming back for a model that loads. */
function retrySeconds({ secondsLeft }: ModelStatus): number {
  if (secondsLeft === undefined) return unknownRetrySeconds;
  return Math.min(mostRetrySeconds, Math.max(1, Math.ceil(secondsLeft)));
}

function isDeadline(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error === signal.reason && error instanceof DeadlineExceededError;
}
