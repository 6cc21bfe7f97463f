import type { ShedError, WaitExpiredError } from './errors.ts';
import type { Flight, Job } from './job.ts';

/** What the scheduler has others do. None of these may call the scheduler before it returns. */
export interface Effects {
  /** The turn of all jobs of the flight has come: ends in `ended`. */
  start(flight: Flight): void;
  /** It waits no more. */
  refused(job: Job, error: ShedError | WaitExpiredError): void;
  /** Calls `tick` at that time, or later. */
  lookAt(time: number): void;
}
