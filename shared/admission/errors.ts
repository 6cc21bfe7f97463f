import { CasaLinguaError, type ErrorDetails } from '../errors.ts';
import type { ShedReason } from './admission-report.ts';

/** There is more to do than can be done in time: refused before anything was done for it. */
export class ShedError extends CasaLinguaError {
  readonly code = 'OVERLOADED';
  readonly retryable = true;
  readonly reason: ShedReason;

  constructor(reason: ShedReason, details: ErrorDetails) {
    super(words[reason], details);
    this.reason = reason;
  }
}

const words: Readonly<Record<ShedReason, string>> = {
  deadline: 'there is too much to do to be through before the deadline of the request',
  early: 'there is too much to do for any request to be through before this deadline',
  queue: 'as many requests wait as may',
  displaced: 'the request made way for one of a higher priority',
};

/** Its deadline passed before its turn came. */
export class WaitExpiredError extends CasaLinguaError {
  readonly code = 'DEADLINE_EXCEEDED';
  readonly retryable = true;
}
