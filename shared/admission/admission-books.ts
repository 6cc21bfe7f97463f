import type { AdmissionReport, ShedReason } from './admission-report.ts';
import { Recent } from './recent.ts';

/** What became of requests, for the report. */
export class AdmissionBooks {
  admitted = 0;
  completed = 0;
  missed = 0;
  batches = 0;
  batchedRequests = 0;
  readonly shed: Record<ShedReason, number> = { deadline: 0, early: 0, queue: 0, displaced: 0 };
  readonly queueDelays = new Recent();
  readonly serviceTimes = new Recent();
  readonly errors = new Recent();

  started(size: number): void {
    if (size === 1) return;
    this.batches++;
    this.batchedRequests += size;
  }

  /** @param expectedMs 0: nothing was known */
  ran(expectedMs: number, computeMs: number): void {
    this.serviceTimes.add(computeMs);
    if (expectedMs > 0 && computeMs > 0) this.errors.add(Math.abs(expectedMs - computeMs) / computeMs);
  }

  report(): Omit<AdmissionReport, 'enabled' | 'inFlight' | 'limit' | 'waiting' | 'workAheadMs'> {
    const { admitted, completed, missed, batches, batchedRequests } = this;
    return {
      admitted,
      completed,
      missed,
      shed: { ...this.shed },
      queueDelayMs: this.queueDelays.spread(),
      serviceMs: this.serviceTimes.spread(),
      estimateError: this.errors.spread()?.p50,
      batches,
      batchedRequests,
    };
  }
}
