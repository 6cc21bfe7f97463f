import type { AdmissionSettings } from '../config/admission.ts';
import type { LoadPriority } from '../host/model-host.ts';
import type { Arrival, Flight, Job } from './job.ts';
import { ServiceTime } from './service-time.ts';
import { WaitingLine } from './waiting-line.ts';

/** Highest first. */
const priorities: readonly LoadPriority[] = ['interactive', 'batch', 'background'];
/** The weight of the newest in the average. */
const NEWEST = 0.1;
/** The same for the share of requests that are refused. */
const NEWEST_REFUSAL = 0.02;
/** From this share of refusals on the queue is held shortest. */
const FULL_OVERLOAD = 0.5;

export type LaneSettings = Pick<
  AdmissionSettings,
  | 'batching'
  | 'concurrency'
  | 'defaultWaitMs'
  | 'longestWaitMs'
  | 'overloadWaitPercent'
  | 'standingAfterMs'
  | 'standingWaitPercent'
>;

/** One model's thread, which takes one run after the other, and those who wait for it. */
export class Lane {
  readonly key: string;
  readonly flights: Flight[] = [];
  readonly preparing = new Set<Job>();
  readonly #settings: LaneSettings;
  readonly #isBatching: boolean;
  readonly #lines = new Map(priorities.map((priority) => [priority, new WaitingLine()]));
  /** By beams, since they cost. */
  readonly #times = new Map<number, ServiceTime>();
  #preparingMs = 0;
  /** Ms of runs that requests let in will still ask for, by their priority. */
  readonly #later = new Map<LoadPriority, { requests: number; ms: number }>();
  #lastEnd = { at: Number.NEGATIVE_INFINITY, size: 1 };
  #turnaroundMs = 0;
  #busySince: number | undefined;
  #refusedShare = 0;

  constructor(key: string, settings: LaneSettings, isBatching: boolean) {
    this.key = key;
    this.#settings = settings;
    this.#isBatching = isBatching;
  }

  /** Wall ms of the last run's end. */
  get lastEndedAt(): number {
    return this.#lastEnd.at;
  }

  /** Ms between a run's end in its thread and its answers. */
  get turnaroundMs(): number {
    return this.#turnaroundMs;
  }

  get waiting(): number {
    let waiting = this.preparing.size;
    for (const { size } of this.#lines.values()) waiting += size;
    return waiting;
  }

  get inFlight(): number {
    return this.flights.reduce((sum, { jobs }) => sum + jobs.size, 0);
  }

  /** The most requests that may be in flight. */
  get limit(): number {
    const { concurrency, batching } = this.#settings;
    return concurrency * (this.#isBatching ? batching.maxRows : 1);
  }

  get isEmpty(): boolean {
    return this.waiting === 0 && this.flights.length === 0;
  }

  timesOf({ beams }: Pick<Arrival, 'beams'>): ServiceTime {
    const known = this.#times.get(beams);
    if (known !== undefined) return known;
    const times = new ServiceTime();
    this.#times.set(beams, times);
    return times;
  }

  /** Ms that the request adds to the lane's work: who shares a run shares what a run takes besides its characters. */
  shareMs(arrival: Arrival): number {
    const times = this.timesOf(arrival);
    if (!this.#isBatching) return times.expected(arrival.characters);
    const { maxRows } = this.#settings.batching;
    return times.perCharacterMs * arrival.characters + times.perRunMs * Math.min(1, rowsOf(arrival) / maxRows);
  }

  /** Ms that the request's later runs add to it. */
  laterMs(arrival: Arrival): number {
    return this.timesOf(arrival).perCharacterMs * arrival.laterCharacters;
  }

  /** Expected ms until the thread is free of all who go before a newcomer of this priority. */
  aheadMs(priority: LoadPriority, now: number): number {
    let ahead = this.#preparingMs;
    this.flights.forEach((flight, index) => {
      const began = Math.max(flight.startedAt, this.#lastEnd.at);
      // The thread is at the first one alone.
      const ran = index === 0 ? Math.max(0, now - began) : 0;
      ahead += Math.max(0, flight.expectedMs - ran);
    });
    for (const each of priorities) {
      ahead += this.#lineOf(each).workMs + (this.#later.get(each)?.ms ?? 0);
      if (each === priority) break;
    }
    return ahead;
  }

  /** Ms of work that may be before a newcomer with this deadline (ms since the epoch), or with none. */
  longestWaitMs(deadline: number | undefined, now: number): number {
    const { defaultWaitMs, longestWaitMs, standingAfterMs, standingWaitPercent, overloadWaitPercent } = this.#settings;
    const isStanding = this.#busySince !== undefined && now - this.#busySince > standingAfterMs;
    if (!isStanding) return longestWaitMs;
    const overload = Math.min(1, this.#refusedShare / FULL_OVERLOAD);
    const percent = standingWaitPercent + overload * (overloadWaitPercent - standingWaitPercent);
    const ownMs = deadline === undefined ? defaultWaitMs : deadline - now;
    return Math.min(longestWaitMs, (ownMs * percent) / 100);
  }

  /** Somebody has asked for it, who was let in, or not since others were there before. */
  asked(outcome: 'admitted' | 'refused'): void {
    this.#refusedShare += NEWEST_REFUSAL * ((outcome === 'refused' ? 1 : 0) - this.#refusedShare);
  }

  /** Who would be the first to make way for somebody of this priority. */
  lastBelow(priority: LoadPriority): Job | undefined {
    for (const each of priorities.toReversed()) {
      if (each === priority) return undefined;
      const { last } = this.#lineOf(each);
      if (last !== undefined) return last;
    }
    return undefined;
  }

  prepare(job: Job): void {
    this.preparing.add(job);
    this.#preparingMs += job.shareMs;
    this.#owe(job, 1);
  }

  /** It is through, or gone; its later runs come as jobs of their own. */
  over(job: Job): void {
    this.#owe(job, -1);
  }

  prepared(job: Job): void {
    this.preparing.delete(job);
    this.#preparingMs = this.preparing.size === 0 ? 0 : Math.max(0, this.#preparingMs - job.shareMs);
  }

  wait(job: Job): void {
    this.#lineOf(job.arrival.priority).add(job);
  }

  stopWaiting(job: Job): void {
    this.#lineOf(job.arrival.priority).remove(job);
  }

  /** Those who wait though their time is over. */
  *expired(now: number): Iterable<Job> {
    for (const line of this.#lines.values()) {
      for (const job of line) if (job.deadline <= now) yield job;
    }
  }

  /** Whether the thread may be given a run, and who is in it: the first of all, and those who may share with it, in their order. */
  next(now: number): { readonly jobs: readonly Job[] } | { readonly lookAt: number } | undefined {
    if (this.flights.length >= this.#settings.concurrency) return undefined;
    const { jobs, isFull } = this.#compose();
    if (jobs.length === 0) return undefined;
    if (isFull) return { jobs };
    // While the thread is busy, more may join.
    if (this.flights.length > 0) return undefined;
    // Those whom the last run has just answered may ask again at once: together they are quicker.
    const lookAt = this.#lastEnd.at + this.#settings.batching.maxWaitMs;
    const mayGrow = jobs.length < this.#lastEnd.size && jobs.length === this.waiting - this.preparing.size;
    return mayGrow && now < lookAt ? { lookAt } : { jobs };
  }

  start(jobs: readonly Job[], now: number): Flight {
    const characters = jobs.reduce((sum, { arrival }) => sum + arrival.characters, 0);
    const beams = jobs[0]?.arrival.beams ?? 1;
    const flight: Flight = {
      model: this.key,
      jobs: new Set(jobs),
      size: jobs.length,
      characters,
      beams,
      expectedMs: this.timesOf({ beams }).expected(characters),
      startedAt: now,
      isWhole: true,
    };
    this.flights.push(flight);
    this.#busySince ??= now;
    return flight;
  }

  /** @param computeMs of the thread; undefined: it died */
  end(flight: Flight, computeMs: number | undefined, now: number): void {
    this.flights.splice(this.flights.indexOf(flight), 1);
    const began = Math.max(flight.startedAt, this.#lastEnd.at);
    this.#lastEnd = { at: now, size: flight.size };
    if (this.isEmpty) this.#busySince = undefined;
    if (computeMs === undefined) return;
    const turnaround = Math.max(0, now - began - computeMs);
    this.#turnaroundMs += NEWEST * (turnaround - this.#turnaroundMs);
    if (flight.isWhole) this.timesOf(flight).learn(flight.characters, computeMs);
  }

  #owe({ arrival: { priority }, laterMs }: Job, sign: 1 | -1): void {
    if (laterMs === 0) return;
    const { requests, ms } = this.#later.get(priority) ?? { requests: 0, ms: 0 };
    // Sums of fractions do not come back to 0 by themselves.
    const isNone = requests + sign === 0;
    this.#later.set(priority, { requests: requests + sign, ms: isNone ? 0 : Math.max(0, ms + sign * laterMs) });
  }

  #lineOf(priority: LoadPriority): WaitingLine {
    return this.#lines.get(priority) as WaitingLine;
  }

  #compose(): { jobs: readonly Job[]; isFull: boolean } {
    const jobs: Job[] = [];
    const { maxRows, maxCharacters } = this.#settings.batching;
    let rows = 0;
    let characters = 0;
    for (const priority of priorities) {
      for (const job of this.#lineOf(priority)) {
        const [first] = jobs;
        if (first !== undefined) {
          if (!mayShare(first, job)) continue;
          const fits = rows + rowsOf(job.arrival) <= maxRows && characters + job.arrival.characters <= maxCharacters;
          if (!fits) return { jobs, isFull: true };
        }
        jobs.push(job);
        rows += rowsOf(job.arrival);
        characters += job.arrival.characters;
        if (!this.#isBatching || job.isAlone) return { jobs, isFull: true };
      }
    }
    return { jobs, isFull: rows >= maxRows || characters >= maxCharacters };
  }
}

function rowsOf({ texts, beams }: Arrival): number {
  return texts * beams;
}

function mayShare(first: Job, other: Job): boolean {
  return !other.isAlone && other.arrival.kind === first.arrival.kind && other.worker === first.worker;
}
