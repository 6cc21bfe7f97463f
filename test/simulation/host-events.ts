import fc from 'fast-check';
import type { ModelLoadingSettings } from '../../shared/config/model-loading.ts';
import { hostSettings } from '../support/host-settings.ts';

/** What can happen to a host, in any order; `pick` chooses among what is there at that moment, `amount` how much. */
export interface HostEvent {
  readonly kind: keyof typeof weights;
  readonly pick: number;
  /** 0 to 1000. */
  readonly amount: number;
}

const weights = {
  'somebody asks': 10,
  'somebody takes what is READY': 2,
  'somebody stops waiting': 2,
  'a lease ends': 6,
  'bytes arrive': 2,
  'a load enters its next phase': 7,
  'a load comes to its end': 12,
  'a load fails for now': 3,
  'a load fails for good': 1,
  'a worker crashes': 8,
  'a worker has ended': 6,
  'time passes': 8,
  'the instance is frozen': 2,
  'the clock is looked at': 3,
  'a model is unloaded': 2,
  'the process grows or shrinks': 2,
  'memory becomes unreadable or readable': 1,
  'a model is loaded at start': 2,
  'a permit is granted': 10,
  'a permit is lost': 2,
  'the host closes': 1,
} as const;

const kinds = Object.entries(weights) as [HostEvent['kind'], number][];

export const anyHostEvent: fc.Arbitrary<HostEvent> = fc.record({
  kind: fc.oneof(
    ...kinds.map(([kind, weight]) => ({
      // Hardly anything can happen afterwards: that a host closes in the middle must be rare.
      weight: kind === 'the host closes' ? 1 : weight * 6,
      arbitrary: fc.constant(kind),
    })),
  ),
  pick: fc.nat(30),
  amount: fc.nat(1_000),
});

/** A host's settings, small and round so that limits are met often. */
export const anyHostSettings: fc.Arbitrary<ModelLoadingSettings> = fc
  .record({
    strategy: fc.constantFrom('eager' as const, 'lazy' as const, 'on_demand' as const),
    preloadModels: fc.subarray(['a', 'b'], { maxLength: 1 }),
    alwaysLoadedModels: fc.subarray(['b', 'c'], { maxLength: 1 }),
    loadTimeoutMs: fc.constantFrom(20_000, 300_000),
    loadStallMs: fc.constantFrom(5_000, 60_000),
    queueEnabled: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
    queueLimit: fc.constantFrom(1, 2, 16),
    loadConcurrency: fc.integer({ min: 1, max: 3 }),
    loadPermits: fc.constantFrom(0, 64),
    cancelUnwantedLoads: fc.boolean(),
    retry: fc.record({ maxAttempts: fc.integer({ min: 1, max: 3 }) }),
    memoryProtection: fc.record({
      enabled: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
    }),
    maxUnload: fc.constantFrom(1, 2),
    minimumResidencyMs: fc.constantFrom(0, 5_000, 60_000),
    idleUnloadMs: fc.constantFrom(10_000, 1_800_000),
    drainTimeoutMs: fc.constantFrom(1_000, 30_000),
  })
  .map(hostSettings);
