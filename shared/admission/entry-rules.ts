import type { AdmissionSettings } from '../config/admission.ts';
import type { ShedReason } from './admission-report.ts';
import { ShedError } from './errors.ts';
import type { Arrival, Job } from './job.ts';
import type { Lane } from './lane.ts';
import { SafetyMargin } from './safety-margin.ts';

/** Ms without a run, after which a free model is tried whatever is thought of it: what refuses everybody learns nothing. */
const STALE_MS = 5_000;

/** Who may come in: predictions, and what follows from them. */
export class EntryRules {
  readonly #settings: AdmissionSettings;
  readonly #random: () => number;
  readonly #margin = new SafetyMargin();

  /** @param random 0 up to 1 */
  constructor(settings: AdmissionSettings, random: () => number) {
    this.#settings = settings;
    this.#random = random;
  }

  /** Ms until a newcomer would be answered, or have its turn where its caller gave no deadline; undefined: nothing tells. */
  predictedMs(lane: Lane, arrival: Arrival, now: number): number | undefined {
    const times = lane.timesOf(arrival);
    const aheadMs = lane.aheadMs(arrival.priority, now);
    if (aheadMs === 0 && now - lane.lastEndedAt > STALE_MS) return undefined;
    const ownMs = times.isTelling && arrival.deadline !== undefined ? times.expected(charactersOf(arrival)) : 0;
    return aheadMs + ownMs + lane.turnaroundMs;
  }

  /** Why a newcomer that is predicted to take so long is not let in; undefined: it is. */
  refusal(lane: Lane, arrival: Arrival, predictedMs: number | undefined, now: number): ShedError | undefined {
    const allowedMs = this.allowedMs(arrival.deadline, now);
    // Who has no time left is told so by its own signal.
    if (predictedMs === undefined || allowedMs <= 0) return undefined;
    const overMs = predictedMs * this.#margin.factor - allowedMs;
    if (overMs > 0) return this.shed('deadline', overMs);
    const tooLongMs = lane.aheadMs(arrival.priority, now) - lane.longestWaitMs(arrival.deadline, now);
    return tooLongMs > 0 ? this.shed('queue', tooLongMs) : undefined;
  }

  /** Whether it would be let in if nobody were there before it: who would not says nothing of how much there is to do. */
  fitsAlone(lane: Lane, arrival: Arrival, now: number): boolean {
    if (arrival.deadline === undefined) return true;
    return lane.timesOf(arrival).expected(charactersOf(arrival)) * this.#margin.factor <= arrival.deadline - now;
  }

  /** Why not even the smallest request would be let in by any of these; undefined: one would, or nobody has asked one of them yet. */
  refusalOfAll(lanes: Iterable<Lane | undefined>, deadline: number | undefined, now: number): ShedError | undefined {
    const allowedMs = Math.max(0, this.allowedMs(deadline, now));
    let leastOverMs = Number.POSITIVE_INFINITY;
    for (const lane of lanes) {
      if (lane === undefined) return undefined;
      const aheadMs = lane.aheadMs('interactive', now);
      const overMs = Math.max(aheadMs * this.#margin.factor - allowedMs, aheadMs - lane.longestWaitMs(deadline, now));
      if (overMs <= 0) return undefined;
      leastOverMs = Math.min(leastOverMs, overMs);
    }
    return leastOverMs === Number.POSITIVE_INFINITY ? undefined : this.shed('early', leastOverMs);
  }

  /** Whether the last of those who wait with its priority has been pushed back until it cannot be through in time. */
  isPushedOut(lane: Lane, { arrival, shareMs, deadline }: Job, now: number): boolean {
    const ownMs = arrival.deadline === undefined ? shareMs : 0;
    return now + (lane.aheadMs(arrival.priority, now) - ownMs) * this.#margin.factor > deadline;
  }

  /** How long a request took from the gate on, ms; `Infinity`: its deadline passed first. */
  learn({ arrival, predictedMs, arrivedAt, deadline }: Job, tookMs: number): void {
    // Others are pushed back by those who go before them, which no prediction can know.
    if (predictedMs === undefined || arrival.priority !== 'interactive') return;
    this.#margin.learn(predictedMs, tookMs, deadline - arrivedAt);
  }

  /** Ms that a newcomer has, for all of it or for its wait. */
  allowedMs(deadline: number | undefined, now: number): number {
    return deadline === undefined ? this.#settings.defaultWaitMs : deadline - now;
  }

  /** @param overMs what is too much, in expected ms */
  shed(reason: ShedReason, overMs: number): ShedError {
    const seconds = overMs / 1000;
    // Not all of them at once again.
    const jitter = this.#random() * Math.max(1, seconds);
    return new ShedError(reason, { retryAfterSeconds: Math.max(1, Math.ceil(seconds + jitter)) });
  }
}

/** Of all its runs. */
function charactersOf({ characters, laterCharacters }: Arrival): number {
  return characters + laterCharacters;
}
