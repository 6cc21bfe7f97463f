import type { CircuitBreakerSettings } from '../../../shared/config/circuit-breaker.ts';
import { MOST_VOTERS } from '../../../shared/fleet/breaker/fleet-rules.ts';
import { breakerSettings } from '../../support/breaker-settings.ts';
import type { SeededRandom } from './seeded-random.ts';
import { noFaults, type StoreFaults } from './virtual-store.ts';

/** What happens to the model, or to the fleet, in a history. */
export const stories = [
  'healthy',
  'all fail',
  'few calls each',
  'minority',
  'slow',
  'flapping',
  'store away',
  'cold fleet',
  'forced',
  'alone',
] as const;
export type Story = (typeof stories)[number];

/** Everything that a history is made of; it follows from the seed. */
export interface FleetPlan {
  readonly story: Story;
  readonly instances: number;
  readonly settings: CircuitBreakerSettings;
  readonly isLambda: boolean;
  /** Requests of one instance. */
  readonly perSecond: number;
  /** Of the model's trouble, in ms. */
  readonly from: number;
  readonly until: number;
  /** Instances on which alone the model fails; undefined: on all. */
  readonly bad: number | undefined;
  /** What the monitor counted before the others came, and counts for ever. */
  readonly staleCount: boolean;
  readonly faults: StoreFaults;
  /** Ms, at most. */
  readonly skewMs: number;
  /** Faults of instances, by the minute and instance. */
  readonly freezes: number;
  readonly kills: number;
  readonly jumps: number;
  /** When nobody reaches the store. */
  readonly away: readonly [from: number, until: number] | undefined;
  /** When about half of the instances do not reach it. */
  readonly partition: readonly [from: number, until: number] | undefined;
  /** Nothing goes wrong but the model: all bounds of time hold. */
  readonly isClean: boolean;
}

export function planOf(random: SeededRandom, size?: number): FleetPlan {
  const story = random.pick(stories);
  const isClean = random.happens(0.4);
  const often = (probability: number) => (!isClean && random.happens(0.5) ? probability : 0);
  const isSlow = story === 'slow';
  const instances = size ?? instancesOf(story, random);
  const from = random.between(5_000, 20_000);
  const isAway = story === 'store away' || (!isClean && random.happens(0.1));
  const lasts = story === 'store away' ? 150_000 : isSlow ? 60_000 : 70_000;
  const until = from + random.between(isSlow ? 30_000 : 10_000, lasts);
  const awayFrom = random.between(0, Math.min(until, from + 20_000));
  return {
    story,
    instances,
    settings: breakerSettings({
      rule: isSlow || random.happens(0.2) ? 'rate' : 'consecutive',
      failureThreshold: random.whole(1, 5),
      resetMs: random.between(2_000, 10_000),
      windowMs: 10_000,
      minimumCalls: random.whole(2, 6),
      slowCallMs: 2_000,
      halfOpenSuccesses: random.whole(1, 3),
      probeLeaseMs: random.between(4_000, 10_000),
      rampMs: random.happens(0.2) ? 0 : random.between(2_000, 10_000),
    }),
    isLambda: random.happens(0.6),
    perSecond: isSlow ? random.between(0.4, 0.8) : random.between(0.3, 1.5),
    from,
    until,
    bad: story === 'minority' ? badOf(isClean ? instances : 1, random) : undefined,
    staleCount: story === 'minority' && instances <= 4 && random.happens(0.5),
    faults: isClean
      ? noFaults
      : {
          lostAnswer: often(0.2),
          lostCall: often(0.2),
          duplicate: often(0.2),
          late: often(0.1),
          throttled: often(0.3),
          stale: often(0.5),
          slow: often(0.3),
        },
    skewMs: isClean ? 0 : random.pick([0, 100, 5_000]),
    freezes: often(random.pick([0.5, 4])),
    kills: often(random.pick([0.2, 1])),
    jumps: story === 'minority' ? 0 : often(0.3),
    away: isAway ? [awayFrom, awayFrom + random.between(1_000, 150_000)] : undefined,
    partition: !isClean && random.happens(0.2) ? [awayFrom, awayFrom + random.between(1_000, 100_000)] : undefined,
    isClean: isClean && !isAway,
  };
}

function instancesOf(story: Story, random: SeededRandom): number {
  switch (story) {
    case 'alone':
      return 1;
    case 'few calls each':
      return random.whole(12, 40);
    case 'minority':
      return random.pick([3, 4, 6, 12, 30]);
    case 'cold fleet':
      return random.whole(6, 20);
    default:
      return random.whole(2, 6);
  }
}

/** Below the quorum, which is a fifth, and two at least; far below where chance draws the voters. */
function badOf(instances: number, random: SeededRandom): number {
  const share = instances > MOST_VOTERS ? 0.02 : 0.2;
  return random.whole(1, Math.max(1, Math.ceil(instances * share) - 1));
}
