import * as z from 'zod/mini';
import { allScopes } from '../../../shared/config/scopes.ts';
import { fleetMemorySchema } from '../../../shared/fleet/memory/fleet-memory.ts';
import { pairSchema } from '../../../shared/repository/manifest-schema.ts';
import { fleetBreaker, heldModel } from './health.ts';
import {
  count,
  counts,
  fleetBreakerState,
  maybeText,
  maybeTime,
  modelState,
  name,
  reasons,
  share,
  time,
} from './named.ts';

export const access = name(
  'Access',
  z.object({
    caller: z.string(),
    kind: z.enum(['key', 'gateway', 'anonymous']),
    scopes: z.array(z.enum(allScopes)),
  }),
);

const task = z.enum(['translation', 'language-detection']);
const want = z.enum(['loaded', 'unloaded', 'pinned']);

const adminModel = name(
  'AdminModel',
  z.object({
    id: z.string(),
    task: z.nullable(task),
    active: z.nullable(
      z.object({
        version: z.string(),
        seq: z.nullable(count),
        by: maybeText,
        at: maybeTime,
        previous: maybeText,
      }),
    ),
    versions: z.array(z.string()),
    version_pin: z.nullable(z.object({ version: z.string(), hard: z.boolean() })),
    always_loaded: z.boolean(),
    preload: z.boolean(),
    status: modelState,
    ready: z.boolean(),
    loading_progress: share,
    states: counts(modelState),
    memory: z.nullable(z.object({ resident_mb: z.number(), peak_mb: z.number() })),
    memory_mb: z.number(),
    wish: z.nullable(
      z.object({
        want,
        seq: count,
        by: z.string(),
        at: time,
        until: maybeTime,
        is_over: z.boolean(),
        carried_out: count,
        instances: count,
      }),
    ),
  }),
  '`seq`, `by`, `at` of `active` are null where the deployment decides, or the store does not tell.',
);

export const adminModels = name('AdminModels', z.object({ timestamp: time, models: z.array(adminModel), reasons }));

export const adminModelDetail = name(
  'AdminModelDetail',
  z.object({
    ...adminModel.shape,
    timestamp: time,
    reasons,
    manifest: z.nullable(
      z.object({
        version: z.string(),
        engine: z.string(),
        licence: z.string(),
        source: z.string(),
        fallback: maybeText,
        bytes: count,
        files: count,
        pairs: z.nullable(z.array(pairSchema)),
        languages: z.nullable(z.array(z.string())),
      }),
    ),
    instances: z.array(z.object({ ...heldModel.shape, wish_seq: z.nullable(count), wish_carried_out: z.boolean() })),
    last_error: z.nullable(
      z.object({
        instance: z.string(),
        version: z.string(),
        code: z.string(),
        message: z.string(),
        retryable: z.boolean(),
        next_try_at: maybeTime,
      }),
    ),
  }),
);

export const adminLanguages = name(
  'AdminLanguages',
  z.object({
    timestamp: time,
    languages: z.array(
      z.object({
        code: z.string(),
        name: z.string(),
        targets: z.array(
          z.object({
            code: z.string(),
            name: z.string(),
            model: z.string(),
            version: z.string(),
            ready: z.boolean(),
          }),
        ),
      }),
    ),
    detection: z.array(z.object({ model: z.string(), version: z.string(), ready: z.boolean(), languages: count })),
    reasons,
  }),
);

const links = z.object({ model: z.string(), health: z.string() });

export const wishTold = name(
  'WishTold',
  z.object({
    model: z.string(),
    action: z.enum(['load', 'unload', 'pin', 'unpin']),
    want,
    seq: count,
    until: maybeTime,
    announced: z.boolean(),
    woken: z.boolean(),
    links,
  }),
  'Instances carry it out: see `links.model`. `announced` false: they learn of it within a minute. `woken` false: with the next request.',
);

export const activationTold = name(
  'ActivationTold',
  z.object({
    model: z.string(),
    action: z.literal('activate'),
    version: z.string(),
    seq: count,
    previous: maybeText,
    changed: z.boolean(),
    announced: z.boolean(),
    woken: z.boolean(),
    links,
  }),
  '`changed` false: it was active already.',
);

export const adminBreakers = name(
  'AdminBreakers',
  z.object({ timestamp: time, breakers: z.array(fleetBreaker), reasons }),
);

export const breakerTold = name(
  'BreakerTold',
  z.object({
    breaker: z.string(),
    action: z.enum(['open', 'closed', 'release']),
    state: fleetBreakerState,
    epoch: count,
    by: maybeText,
    why: maybeText,
    until: maybeTime,
    links: z.object({ breakers: z.string() }),
  }),
);

export const memorySnapshots = name(
  'MemorySnapshots',
  z.object({ timestamp: time, snapshots: z.array(name('FleetMemory', fleetMemorySchema)) }),
  'In MB (2^20 bytes), the oldest first.',
);
