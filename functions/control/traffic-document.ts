import type { AdmissionReport } from '../../shared/admission/admission-report.ts';
import { eventDocument } from '../../shared/fleet/instance-document.ts';
import type { SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import type { ModelStatus } from '../../shared/host/model-host.ts';
import { timeOf } from '../../shared/time-document.ts';

/** Events that are told at most, of all instances together. */
const MOST_EVENTS = 50;
/** Loads that are written in full, the furthest first. */
const MOST_LOADS = 100;

/**
 * The gates of admission over all live instances that tell of their traffic: sums of what they count, and the worst of what they
 * measure; null: none tells.
 * @param gate where this process has it itself: what a snapshot has no room for
 */
export function admissionDocument(instances: readonly SeenInstance[], gate: AdmissionReport | undefined) {
  const traffic = instances.flatMap(({ snapshot }) => snapshot.traffic ?? []);
  if (traffic.length === 0) return null;
  const total = (count: (one: (typeof traffic)[number]) => number) => traffic.reduce((sum, one) => sum + count(one), 0);
  const measured = traffic.flatMap(({ serviceMs }) => serviceMs ?? []);
  const worst = (values: readonly number[]) => (values.length === 0 ? null : Math.max(...values));
  return {
    in_flight: total(({ inFlight }) => inFlight),
    requests: total(({ requests }) => requests),
    failures: total(({ failures }) => failures),
    shed: total(({ shed }) => shed),
    queue_delay_ms: worst(traffic.map(({ queueDelayMs }) => queueDelayMs)),
    service_ms: { p50: worst(measured.map(({ p50 }) => p50)), p90: worst(measured.map(({ p90 }) => p90)) },
    waiting: gate?.waiting ?? null,
    limit: gate?.limit ?? null,
    work_ahead_ms: gate?.workAheadMs ?? null,
    missed: gate?.missed ?? null,
    shed_by_reason: gate?.shed ?? null,
    estimate_error: gate?.estimateError ?? null,
  };
}

/** Every model that is on its way somewhere, the furthest first. */
export function loadsDocument(instances: readonly SeenInstance[]) {
  return instances
    .flatMap(({ snapshot, stale }) =>
      snapshot.report.models.filter(isLoading).map((model) => ({
        instance: snapshot.id,
        model: model.id,
        version: model.version,
        phase: model.state,
        progress: model.progress,
        bytes_loaded: model.bytesLoaded,
        bytes_total: model.bytesTotal,
        seconds_left: model.secondsLeft ?? null,
        waits_for_permit: model.waitsForPermit ?? false,
        started_at: timeOf(model.startedAt),
        stale,
      })),
    )
    .sort((a, b) => b.progress - a.progress)
    .slice(0, MOST_LOADS);
}

/** What happened last on all instances, the newest first. */
export function eventsDocument(instances: readonly SeenInstance[]) {
  return instances
    .flatMap(({ snapshot }) => snapshot.events.map((event) => ({ instance: snapshot.id, event })))
    .sort((a, b) => b.event.at - a.event.at)
    .slice(0, MOST_EVENTS)
    .map(({ instance, event }) => ({ instance, ...eventDocument(event) }));
}

function isLoading({ state }: ModelStatus): boolean {
  switch (state) {
    case 'QUEUED':
    case 'DOWNLOADING':
    case 'INITIALIZING':
    case 'WARMING':
      return true;
    case 'UNLOADED':
    case 'READY':
    case 'DRAINING':
    case 'FAILED':
      return false;
  }
}
