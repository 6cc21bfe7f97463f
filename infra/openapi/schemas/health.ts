import * as z from 'zod/mini';
import {
  breakerState,
  count,
  counts,
  fleetBreakerState,
  maybeNumber,
  maybeText,
  maybeTime,
  modelState,
  name,
  reasons,
  share,
  time,
} from './named.ts';

export const alive = name('Health', z.object({ status: z.literal('ok'), timestamp: time, version: z.string() }));
export const liveness = name('Liveness', z.object({ status: z.literal('alive'), timestamp: time }));
export const readiness = name(
  'Readiness',
  z.object({
    status: z.enum(['ready', 'not ready']),
    models: z.array(z.string()),
    reasons,
    store: z.enum(['reachable', 'unreachable']),
    breakers: z.array(z.string()),
    timestamp: time,
  }),
  '`store`: DynamoDB, without which the service goes on. `breakers`: those that let not all calls through.',
);

const status = z.enum(['healthy', 'degraded', 'unhealthy']);

const modelSummary = z.object({
  name: z.string(),
  status: modelState,
  loading_progress: share,
  ready: z.boolean(),
  version: maybeText,
  states: counts(modelState),
});

const modelError = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() });

const modelOnInstance = z.object({
  name: z.string(),
  version: z.string(),
  state: modelState,
  loading_progress: share,
  bytes_loaded: z.number(),
  bytes_total: z.number(),
  seconds_left: maybeNumber,
  leases: count,
  waiting: count,
  waits_for_permit: z.boolean(),
  memory_mb: maybeNumber,
  attempts: count,
  stays: z.boolean(),
  started_at: maybeTime,
  ready_at: maybeTime,
  last_used_at: maybeTime,
  next_try_at: maybeTime,
  error: z.nullable(modelError),
});
name('ModelOnInstance', modelOnInstance);

/** An entry of `models[].instances`. */
export const heldModel = z.object({ instance: z.string(), stale: z.boolean(), ...modelOnInstance.shape });

export const fleetBreaker = name(
  'FleetBreaker',
  z.object({
    name: z.string(),
    states: counts(breakerState),
    fleet: z.nullable(
      z.object({
        state: fleetBreakerState,
        epoch: count,
        since: maybeTime,
        next_probe_at: maybeTime,
        probe: z.nullable(z.object({ owner: z.string(), since: time, lease_seconds: z.number() })),
        forced: z.nullable(z.object({ by: z.string(), why: z.string(), until: time })),
        openings: count,
        active_instances: z.nullable(count),
      }),
    ),
  }),
  '`states`: on how many instances it is in which. `fleet`: what all instances share of it.',
);

const spread = z.object({ p50: z.number(), p90: z.number() });

const admission = name(
  'Admission',
  z.object({
    in_flight: count,
    requests: count,
    failures: count,
    shed: count,
    queue_delay_ms: maybeNumber,
    service_ms: z.object({ p50: maybeNumber, p90: maybeNumber }),
    waiting: z.nullable(count),
    limit: z.nullable(count),
    work_ahead_ms: maybeNumber,
    missed: z.nullable(count),
    shed_by_reason: z.nullable(z.record(z.string(), count)),
    estimate_error: maybeNumber,
  }),
  'Sums since the start of each live instance, and the worst that is measured. From `waiting` on: only where one process is all there is.',
);

const load = name(
  'Load',
  z.object({
    instance: z.string(),
    model: z.string(),
    version: z.string(),
    phase: modelState,
    progress: share,
    bytes_loaded: z.number(),
    bytes_total: z.number(),
    seconds_left: maybeNumber,
    waits_for_permit: z.boolean(),
    started_at: maybeTime,
    stale: z.boolean(),
  }),
);

const event = name(
  'Event',
  z.discriminatedUnion('kind', [
    z.object({
      instance: z.string(),
      at: time,
      kind: z.literal('model'),
      model: z.string(),
      from: modelState,
      to: modelState,
      took_ms: maybeNumber,
      code: maybeText,
    }),
    z.object({
      instance: z.string(),
      at: time,
      kind: z.literal('breaker'),
      breaker: z.string(),
      from: breakerState,
      to: breakerState,
    }),
  ]),
);

const traffic = z.object({
  requests: count,
  failures: count,
  shed: count,
  in_flight: count,
  queue_delay_ms: z.number(),
  service_ms: z.nullable(spread),
  tokens: count,
  loads: count,
  evictions: count,
});

const instance = name(
  'Instance',
  z.object({
    id: z.string(),
    stale: z.boolean(),
    seen_at: time,
    started_at: time,
    uptime: count,
    initialization: z.enum(['on-demand', 'provisioned-concurrency', 'process']),
    version: z.string(),
    strategy: z.enum(['eager', 'lazy', 'on_demand']),
    cpu_usage: z.number(),
    memory: z.object({
      protected: z.boolean(),
      limit_mb: maybeNumber,
      budget_mb: maybeNumber,
      used_mb: maybeNumber,
      reserved_mb: maybeNumber,
    }),
    model_queue: z.object({ size: count, limit: count, currently_loading: z.array(z.string()) }),
    models: z.array(modelOnInstance),
    models_left_out: count,
    breakers: z.array(
      z.object({
        name: z.string(),
        state: breakerState,
        since: time,
        failures: count,
        next_probe_at: maybeTime,
        epoch: z.nullable(count),
        fleet_wide: z.boolean(),
      }),
    ),
    wishes: z.record(z.string(), count),
    traffic: z.nullable(traffic),
  }),
);

export const detailed = name(
  'DetailedHealth',
  z.object({
    status,
    timestamp: time,
    uptime: count,
    models: z.array(modelSummary),
    model_queue: z.object({ size: count, currently_loading: z.array(z.string()) }),
    system: z.object({
      memory_total: maybeText,
      memory_available: maybeText,
      memory_used: maybeText,
      memory_percent: maybeNumber,
      cpu_usage: z.number(),
    }),
    breakers: z.array(fleetBreaker),
    admission: z.nullable(admission),
    loads: z.array(load),
    events: z.array(event),
    instance_count: count,
    instances: z.array(instance),
    reasons,
  }),
  '`uptime` in seconds; memory like `12.0 GB`; `cpu_usage` in percent of one core.',
);

export const models = name(
  'ModelsHealth',
  z.object({
    status,
    timestamp: time,
    models: z.array(z.object({ ...modelSummary.shape, instances: z.array(heldModel) })),
    reasons,
  }),
);
