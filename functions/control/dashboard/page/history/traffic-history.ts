import type { HealthDocument, InstanceDocument, TrafficDocument } from '../read/documents.ts';
import type { ChartData } from './chart-data.ts';

/** What the fleet does at one moment; undefined what is not known. */
export interface TrafficSample {
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  readonly requestsPerSecond: number | undefined;
  readonly failuresPerMinute: number | undefined;
  readonly shedPerMinute: number | undefined;
  readonly p50Ms: number | undefined;
  readonly p90Ms: number | undefined;
  readonly queueDelayMs: number | undefined;
}

interface Rates {
  readonly requests: number;
  readonly failures: number;
  readonly shed: number;
}

interface Known {
  readonly seenAt: number;
  readonly counts: TrafficDocument;
  /** Per second, between its last two words; undefined while there was only one. */
  readonly rates: Rates | undefined;
}

/** Instances tell times in whole seconds: a shorter time between two words says little about a rate. */
const SHORTEST_MS = 1_000;

/**
 * Turns the instances' counts, which each tells when it comes to it, into rates: what an instance did between its last two words
 * counts until its next one.
 */
export class TrafficMeter {
  #known = new Map<string, Known>();
  #openedAt: number | undefined;

  /** @param at the service's wall clock, ms */
  read(health: HealthDocument, at: number): TrafficSample {
    this.#openedAt ??= at;
    const known = new Map<string, Known>();
    for (const instance of health.instances) {
      const now = this.#knownOf(instance, this.#openedAt);
      if (now !== undefined) known.set(instance.id, now);
    }
    this.#known = known;
    // Who has said nothing for long is frozen, and does nothing.
    const live = health.instances.filter(({ stale }) => !stale).map(({ id }) => known.get(id)?.rates);
    const rates = live.filter((one) => one !== undefined);
    const isKnown = rates.length > 0 || health.instances.length === 0 || live.length === 0;
    const sum = (one: (rates: Rates) => number) =>
      isKnown ? rates.reduce((total, each) => total + one(each), 0) : undefined;
    const { admission } = health;
    return {
      at,
      requestsPerSecond: sum(({ requests }) => requests),
      failuresPerMinute: sum(({ failures }) => failures * 60),
      shedPerMinute: sum(({ shed }) => shed * 60),
      p50Ms: admission?.service_ms.p50 ?? undefined,
      p90Ms: admission?.service_ms.p90 ?? undefined,
      queueDelayMs: admission?.queue_delay_ms ?? undefined,
    };
  }

  #knownOf(instance: InstanceDocument, openedAt: number): Known | undefined {
    const { id, traffic: counts } = instance;
    const before = this.#known.get(id);
    if (counts === null) return before;
    const seenAt = Date.parse(instance.seen_at);
    if (before === undefined) {
      const startedAt = Date.parse(instance.started_at);
      // What one that was there before has done, it has done some time since its start.
      const isNew = startedAt >= openedAt;
      const zero = { requests: 0, failures: 0, shed: 0 };
      return { seenAt, counts, rates: isNew ? ratesOf(zero, counts, seenAt - startedAt) : undefined };
    }
    if (seenAt - before.seenAt < SHORTEST_MS) return before;
    return { seenAt, counts, rates: ratesOf(before.counts, counts, seenAt - before.seenAt) };
  }
}

/** Undefined where counts began anew, or there was hardly any time. */
function ratesOf(before: TrafficDocument, after: TrafficDocument, ms: number): Rates | undefined {
  if (ms < SHORTEST_MS || after.requests < before.requests) return undefined;
  const rate = (from: number, to: number) => (Math.max(0, to - from) * 1_000) / ms;
  return {
    requests: rate(before.requests, after.requests),
    failures: rate(before.failures, after.failures),
    shed: rate(before.shed, after.shed),
  };
}

type Figure = Exclude<keyof TrafficSample, 'at'>;

/** @param lines names of the lines, by what they show @param since wall clock ms */
export function trafficChart(
  samples: readonly TrafficSample[],
  lines: readonly (readonly [Figure, string])[],
  since: number,
): ChartData {
  const shown = samples.filter(({ at }) => at >= since);
  return {
    times: shown.map(({ at }) => at / 1_000),
    layers: [],
    lines: lines.map(([figure, name]) => ({ name, values: shown.map((sample) => sample[figure] ?? null) })),
  };
}
