import { ModelLoadingError } from '../../shared/host/errors.ts';
import type { Lease, ModelHost, ModelStatus } from '../../shared/host/model-host.ts';
import type { Clock } from '../../shared/http/environment.ts';
import { DeadlineExceededError } from '../../shared/http/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { OutputOf, TaskInput } from '../../shared/runtime/tasks.ts';

/**
 * Leases a model, runs one task on it, and gives the lease back. `done` (0 to 1) is what of the request was finished
 * before, for the caller whose deadline passes in this run.
 * @throws ModelLoadingError when the deadline passes while the model loads, DeadlineExceededError when it passes in the
 *   run, and whatever the host and the run throw
 */
export type RunModel = <Input extends TaskInput>(
  manifest: Manifest,
  input: Input,
  signal: AbortSignal,
  done?: number,
) => Promise<OutputOf<Input>>;

/** The only way from a request to a model. */
export function createRunModel(host: ModelHost, clock: Clock): RunModel {
  return async (manifest, input, signal, done = 0) => {
    const lease = await take(manifest, signal);
    try {
      return await lease.run(input, { signal });
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

  async function take(manifest: Manifest, signal: AbortSignal): Promise<Lease> {
    try {
      return await host.lease(manifest, { signal });
    } catch (error) {
      if (!isDeadline(error, signal)) throw error;
      const status = host.status().find(({ id, version }) => id === manifest.id && version === manifest.version);
      if (status === undefined || status.state === 'READY') throw error;
      const percent = Math.floor(status.progress * 100);
      throw new ModelLoadingError(`model ${manifest.id} is still loading (${percent} %)`, {
        model: manifest.id,
        state: status.state,
        retryAfterSeconds: loadSeconds(status, clock.now()),
        cause: error,
      });
    }
  }
}

const leastRetrySeconds = 2;
const mostRetrySeconds = 120;

/** When a load that goes on at its pace so far will be done. */
export function loadSeconds(status: Pick<ModelStatus, 'progress' | 'startedAt'>, now: number): number {
  if (status.startedAt === undefined || status.progress <= 0) return leastRetrySeconds;
  const leftMs = ((now - status.startedAt) * (1 - status.progress)) / status.progress;
  return Math.min(mostRetrySeconds, Math.max(leastRetrySeconds, Math.ceil(leftMs / 1000)));
}

function isDeadline(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error === signal.reason && error instanceof DeadlineExceededError;
}
