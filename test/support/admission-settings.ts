import type { AdmissionSettings, BatchingSettings } from '../../shared/config/admission.ts';

/** The gate's settings with round numbers: one run at a time, one request in a run. */
export function admissionSettings({
  batching,
  ...changes
}: Partial<Omit<AdmissionSettings, 'batching'>> & {
  readonly batching?: Partial<BatchingSettings>;
} = {}): AdmissionSettings {
  return {
    enabled: true,
    defaultWaitMs: 10_000,
    longestWaitMs: 30_000,
    standingWaitPercent: 15,
    overloadWaitPercent: 15,
    standingAfterMs: 1_000,
    queueLimit: 100,
    concurrency: 1,
    ...changes,
    batching: { mode: 'auto', maxRows: 8, maxCharacters: 1_000, maxWaitMs: 2, ...batching },
  };
}
