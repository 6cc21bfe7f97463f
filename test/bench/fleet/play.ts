/** Plays a model's failure in a fleet of virtual instances, which run the real breakers. */
import { countActive } from '../../../shared/fleet/breaker/active-count.ts';
import { breakersIn, digestKey, type FleetState } from '../../../shared/fleet/breaker/digest-entry.ts';
import { SeededRandom } from '../../simulation/fleet/seeded-random.ts';
import { MODEL_BREAKER, VirtualInstance } from '../../simulation/fleet/virtual-instance.ts';
import { noFaults, type StoreFaults } from '../../simulation/fleet/virtual-store.ts';
import { VirtualTime } from '../../simulation/fleet/virtual-time.ts';
import { breakerSettings } from '../../support/breaker-settings.ts';
import { itemBytes } from '../../support/item-bytes.ts';
import { CountingStore } from './counting-store.ts';
import { OpenPeriods } from './open-periods.ts';
import { firstSecond, RateMeter } from './rate-meter.ts';
import type { Outcome, Trouble } from './trouble.ts';

const FIRST_COUNT_MS = 10_000;
const MONITOR_MS = 60_000;
/** All know the count, and what a start costs is over. */
const HEALTHY_FROM_MS = 20_000;
const FAILS_FROM_MS = 40_000;
/** How long it is watched when all is well again. */
const AFTERMATH_MS = 20_000;
const LOOK_MS = 1_000;
const PER_SECOND = 1;
/** In the midst of an open time, where all are refused: a minute after its beginning, up to a minute before its end. */
const DULL_PER_SECOND = 0.25;
const DULL_MARGIN_MS = 60_000;
/** Nothing that is asked for takes so long. */
const LONGEST_MS = 3_600_000;
const NEARLY_ALL = 0.99;
/** Ms that a call takes, failed or not. */
const CALL_MS = [20, 100] as const;

const faulty: StoreFaults = { ...noFaults, lostAnswer: 0.01, lostCall: 0.01, late: 0.01, stale: 0.1 };

/** @throws Error where the fleet does not trip, or does not heal */
export function play({ seed, instances: count, kind, network }: Trouble): Outcome {
  const random = new SeededRandom(seed);
  const time = new VirtualTime();
  const settings = breakerSettings();
  const periods = new OpenPeriods();
  const served = new RateMeter();
  const refused = new RateMeter();
  let isFailing = false;
  let failedCalls = 0;
  let healsAt = Number.POSITIVE_INFINITY;
  let tripAt: number | undefined;
  let digestBytes = 0;

  const store = new CountingStore({
    time,
    random: random.fork(),
    onApplied: (applied) => {
      if (applied.update.key.pk === digestKey.pk)
        digestBytes = Math.max(digestBytes, itemBytes(digestKey, applied.after));
      if (applied.update.name === 'TRIP') tripAt ??= time.now();
      if (!periods.applied(applied)) return;
      // A probe has failed: that was the trouble.
      isFailing = false;
      healsAt = Math.min(healsAt, time.now());
    },
  });
  if (network === 'faulty') store.faults = faulty;
  const instances = Array.from(
    { length: count },
    (_, index) =>
      new VirtualInstance({
        id: `i${index}`,
        time,
        store,
        random: random.fork(),
        settings,
        skewMs: 0,
        isLambda: kind === 'lambda',
        callModel: () => ({ verdict: isFailing ? 'failure' : 'success', tookMs: random.between(...CALL_MS) }),
        observer: {
          admitted(instance) {
            served.count(time.now());
            if (isFailing) failedCalls += 1;
            periods.called(instance.breaker.epoch);
          },
          refused: () => refused.count(time.now()),
          settled: () => {},
          waited: () => {},
        },
        onTransition: () => {},
      }),
  );

  for (const instance of instances) {
    const ask = () => {
      instance.request();
      time.after(random.untilNext(isDull(periods.state, instance.wall()) ? DULL_PER_SECOND : PER_SECOND), ask);
    };
    time.after(random.untilNext(PER_SECOND), ask);
  }
  const monitor = () => {
    const wall = instances[0]?.wall() ?? 0;
    const asked = instances.filter(({ askedAt }) => wall - askedAt < MONITOR_MS).map(() => [MODEL_BREAKER]);
    const counted = countActive(asked, breakersIn(store.table.read(digestKey).item), wall);
    if (counted !== undefined) store.put(counted);
    time.after(MONITOR_MS, monitor);
  };
  time.at(FIRST_COUNT_MS, monitor);

  /** @returns ms at the first look at which it is so */
  const watchUntil = (isSo: () => boolean, what: string): number => {
    while (!isSo()) {
      if (time.now() > LONGEST_MS) throw new Error(`${count} instances (${kind}, ${network}): ${what}`);
      time.runUntil(time.now() + LOOK_MS);
    }
    return time.now();
  };
  /** As the store has it, and as every instance knows. */
  const isClosed = () =>
    periods.state.kind === 'CLOSED' &&
    instances.every(({ breaker }) => breaker.fleetState === 'CLOSED' && breaker.report().state === 'CLOSED');

  time.runUntil(FAILS_FROM_MS);
  isFailing = true;
  watchUntil(() => healsAt < Number.POSITIVE_INFINITY, 'no probe was made');
  const { state } = periods;
  if (state.kind !== 'OPEN') throw new Error('it opens again when a probe has failed');
  const openUntil = healsAt + state.openMs;
  const closedAt = watchUntil(isClosed, 'it did not heal');
  time.runUntil(closedAt + AFTERMATH_MS);

  const from = { share: NEARLY_ALL, until: time.now() };
  const openAt = firstSecond(refused, served, { ...from, from: FAILS_FROM_MS });
  const servedAt = firstSecond(served, refused, { ...from, from: openUntil });
  return {
    openSeconds: ((openAt ?? Number.POSITIVE_INFINITY) - FAILS_FROM_MS) / 1000,
    tripSeconds: ((tripAt ?? Number.POSITIVE_INFINITY) - FAILS_FROM_MS) / 1000,
    failedCalls,
    writesPerSecond: store.writes.highestSecond(),
    readsPerSecond: store.reads.highestSecond(HEALTHY_FROM_MS),
    healthyReadsPerSecond:
      store.reads.between(HEALTHY_FROM_MS, FAILS_FROM_MS) / ((FAILS_FROM_MS - HEALTHY_FROM_MS) / 1000),
    healthyWrites: store.writes.between(0, FAILS_FROM_MS) + store.writes.between(closedAt + LOOK_MS, time.now()),
    writes: Object.fromEntries(store.steps),
    probesPerOpen: periods.mostProbes,
    takeovers: periods.takeovers,
    openings: periods.count,
    servedSeconds: ((servedAt ?? Number.POSITIVE_INFINITY) - openUntil) / 1000,
    closedSeconds: (closedAt - openUntil) / 1000,
    digestBytes,
  };
}

function isDull(state: FleetState, wall: number): boolean {
  if (state.kind !== 'OPEN') return false;
  return wall > state.at + DULL_MARGIN_MS && wall < state.at + state.openMs - DULL_MARGIN_MS;
}
