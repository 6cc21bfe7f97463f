import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import { LastEvents } from '../../shared/fleet/instance-event.ts';
import { TrafficMeter } from '../../shared/fleet/instance-traffic.ts';
import type { RunObserver } from '../../shared/host/measured-loader.ts';
import type { ModelChange } from '../../shared/host/model-change.ts';
import type { RequestObserver } from '../../shared/http/access-log.ts';
import { measureRequests } from '../../shared/http/measured-requests.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';

/** What is measured of an instance that owns models: events in, metrics and the parts of its snapshot out. */
export interface Instruments {
  readonly requests: RequestObserver;
  readonly runs: RunObserver;
  readonly traffic: TrafficMeter;
  readonly events: LastEvents;
  modelChanged(change: ModelChange): void;
  /** A worker's thread does not end. @param model `id@version` */
  workerLost(model: string): void;
  breakerStepped(step: BreakerTransition): void;
}

export function createInstruments(metrics: Metrics, clock: { now(): number }): Instruments {
  const traffic = new TrafficMeter();
  const events = new LastEvents();
  const counted = measureRequests(metrics);
  return {
    traffic,
    events,
    requests: {
      began: () => traffic.began(),
      ended(answer) {
        traffic.ended(answer.status);
        counted.ended(answer);
      },
    },
    runs: {
      ran(model, computeMs) {
        traffic.ran(computeMs);
        metrics.observe('serviceSeconds', { model }, computeMs / 1000);
      },
      translated(model, { sourceTokens, targetTokens }) {
        traffic.translated(targetTokens);
        metrics.count('sourceTokens', { model }, sourceTokens);
        metrics.count('targetTokens', { model }, targetTokens);
      },
    },
    modelChanged(change) {
      const { model, from, to, tookMs, code } = change;
      events.add({ kind: 'model', at: clock.now(), model, from, to, tookMs, code });
      measureLoad(metrics, change);
      if (to === 'READY') traffic.loaded();
      if (to === 'DRAINING') {
        const cause = change.cause ?? 'unload';
        if (cause === 'room' || cause === 'memory') traffic.evicted();
        metrics.count('modelUnloads', { cause });
      } else if (from === 'READY') {
        // No other way leads out of READY.
        metrics.count('modelFailures', { model, failure: 'crash' });
      }
    },
    workerLost: (model) => metrics.count('modelFailures', { model, failure: 'lost' }),
    breakerStepped({ breaker, from, to }) {
      events.add({ kind: 'breaker', at: clock.now(), breaker, from, to });
      metrics.count('breakerTransitions', { breaker, state: to });
    },
  };
}

const phaseOf = { QUEUED: 'queue', DOWNLOADING: 'download', INITIALIZING: 'initialize', WARMING: 'warm' } as const;

function measureLoad(metrics: Metrics, { model, from, to, tookMs, bytes, bytesResumed, code }: ModelChange): void {
  if (from !== 'QUEUED' && from !== 'DOWNLOADING' && from !== 'INITIALIZING' && from !== 'WARMING') return;
  if (tookMs !== undefined) metrics.observe('loadSeconds', { phase: phaseOf[from] }, tookMs / 1000);
  if (from === 'DOWNLOADING') metrics.count('downloadedBytes', { model }, Math.max(0, bytes - bytesResumed));
  if (to === 'FAILED') metrics.count('modelFailures', { model, failure: 'load' });
  if (from === 'QUEUED') return;
  switch (to) {
    case 'READY':
      metrics.count('modelLoads', { model, outcome: 'ready' });
      return;
    case 'FAILED':
      metrics.count('modelLoads', { model, outcome: 'failed' });
      return;
    case 'QUEUED':
      metrics.count('modelLoads', { model, outcome: code === undefined ? 'put_back' : 'retried' });
      return;
    case 'UNLOADED':
      metrics.count('modelLoads', { model, outcome: 'cancelled' });
      return;
    case 'DOWNLOADING':
    case 'INITIALIZING':
    case 'WARMING':
    case 'DRAINING':
  }
}
