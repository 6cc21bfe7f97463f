import type { Verdict } from '../../shared/breaker/evidence.ts';
import { CasaLinguaError } from '../../shared/errors.ts';
import { DeadlineExceededError } from '../../shared/http/errors.ts';
import { InferenceFailedError, WorkerCrashedError } from '../../shared/runtime/errors.ts';

/**
 * What a run that failed says of its model. A deadline counts when the run had `fairMs` of it: a caller in a hurry must not
 * close a model to all others.
 */
export function verdictOfRun(thrown: unknown, tookMs: number, fairMs: number): Verdict {
  if (thrown instanceof InferenceFailedError || thrown instanceof WorkerCrashedError) return 'failure';
  if (thrown instanceof DeadlineExceededError) return tookMs >= fairMs ? 'failure' : 'neutral';
  // Bad input, an unsupported language, a caller that hung up, a model that was unloaded; what is not ours is our fault.
  return thrown instanceof CasaLinguaError ? 'neutral' : 'failure';
}
