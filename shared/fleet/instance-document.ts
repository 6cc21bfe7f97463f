import type { BreakerReport } from '../breaker/breaker-state.ts';
import type { ModelStatus } from '../host/model-host.ts';
import { timeOf } from '../time-document.ts';
import type { InstanceEvent } from './instance-event.ts';
import type { InstanceSnapshot } from './instance-snapshot.ts';
import type { InstanceTraffic } from './instance-traffic.ts';
import { instanceTroubles } from './instance-troubles.ts';

/** An instance, as health tells of it. @param now wall clock ms */
export function instanceDocument(snapshot: InstanceSnapshot, now: number) {
  const { report, traffic } = snapshot;
  return {
    seen_at: timeOf(snapshot.at),
    started_at: timeOf(snapshot.startedAt),
    uptime: secondsBetween(snapshot.startedAt, now),
    initialization: snapshot.initialization,
    version: snapshot.bundle,
    strategy: report.strategy,
    cpu_usage: Math.round(snapshot.cpuPercent),
    memory: {
      protected: report.memory.protected,
      limit_mb: wholeMb(report.memory.limitMb),
      budget_mb: wholeMb(report.memory.budgetMb),
      used_mb: wholeMb(report.memory.rssMb),
      reserved_mb: wholeMb(report.memory.reservedMb),
    },
    model_queue: { size: report.queue.size, limit: report.queue.limit, currently_loading: report.queue.loading },
    models: report.models.map(modelDocument),
    models_left_out: snapshot.leftOut,
    breakers: snapshot.breakers.map(breakerDocument),
    wishes: Object.fromEntries(snapshot.wishes),
    traffic: traffic === undefined ? null : trafficDocument(traffic),
  };
}

/** `GET /instance/health`: an instance by itself, and in words what keeps it from serving as it should. */
export function instanceHealthDocument(snapshot: InstanceSnapshot, now: number) {
  const reasons = instanceTroubles(snapshot);
  return {
    status: reasons.length === 0 ? 'healthy' : 'degraded',
    timestamp: timeOf(now),
    id: snapshot.id,
    ...instanceDocument(snapshot, now),
    events: snapshot.events.map(eventDocument),
    reasons,
  };
}

/** A model on an instance. */
export function modelDocument(model: ModelStatus) {
  return {
    name: model.id,
    version: model.version,
    state: model.state,
    loading_progress: model.progress,
    bytes_loaded: model.bytesLoaded,
    bytes_total: model.bytesTotal,
    seconds_left: model.secondsLeft ?? null,
    leases: model.leases,
    waiting: model.waiting,
    waits_for_permit: model.waitsForPermit ?? false,
    memory_mb: wholeMb(model.memoryMb),
    attempts: model.attempts,
    stays: model.stays,
    started_at: timeOf(model.startedAt),
    ready_at: timeOf(model.readyAt),
    last_used_at: timeOf(model.lastUsedAt),
    next_try_at: timeOf(model.nextTryAt),
    error: model.error ?? null,
  };
}

/** Something that happened on an instance. */
export function eventDocument(event: InstanceEvent) {
  const at = timeOf(event.at);
  switch (event.kind) {
    case 'model': {
      const { kind, model, from, to, tookMs = null, code = null } = event;
      return { at, kind, model, from, to, took_ms: tookMs, code };
    }
    case 'breaker': {
      const { kind, breaker, from, to } = event;
      return { at, kind, breaker, from, to };
    }
  }
}

/** Whole seconds. */
export function secondsBetween(from: number, to: number): number {
  return Math.max(0, Math.round((to - from) / 1000));
}

function breakerDocument({ name, state, since, failures, nextProbeAt, epoch, isFleetWide }: BreakerReport) {
  return {
    name,
    state,
    since: timeOf(since),
    failures,
    next_probe_at: timeOf(nextProbeAt),
    epoch: epoch ?? null,
    fleet_wide: isFleetWide ?? false,
  };
}

function trafficDocument(traffic: InstanceTraffic) {
  return {
    requests: traffic.requests,
    failures: traffic.failures,
    shed: traffic.shed,
    in_flight: traffic.inFlight,
    queue_delay_ms: traffic.queueDelayMs,
    service_ms: traffic.serviceMs ?? null,
    tokens: traffic.tokens,
    loads: traffic.loads,
    evictions: traffic.evictions,
  };
}

function wholeMb(mb: number | undefined): number | null {
  return mb === undefined ? null : Math.round(mb);
}
