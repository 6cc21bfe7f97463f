import type { AdmissionSettings } from '../config/admission.ts';
import { AdmissionBooks } from './admission-books.ts';
import type { AdmissionReport } from './admission-report.ts';
import type { Effects } from './effects.ts';
import { EntryRules } from './entry-rules.ts';
import { type ShedError, WaitExpiredError } from './errors.ts';
import type { Arrival, Flight, Job } from './job.ts';
import { Lane } from './lane.ts';

export interface SchedulerOptions {
  readonly settings: AdmissionSettings;
  /** Whether those who wait for one model may share a run. */
  readonly isBatching: boolean;
  /** Ms since the epoch. */
  readonly clock: { now(): number };
  /** 0 up to 1. */
  readonly random: () => number;
  readonly effects: Effects;
}

/** Ms after which a lane without work is forgotten: versions come and go. */
const FORGOTTEN_MS = 3_600_000;

/**
 * Decides who is let in, who runs next and with whom: events in, effects out, nothing else. Each event is one synchronous step.
 * It has no timers: `tick` does what is due, and may come late.
 */
export class AdmissionScheduler {
  readonly #options: SchedulerOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #rules: EntryRules;
  readonly #books = new AdmissionBooks();
  #nextOrder = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#rules = new EntryRules(options.settings, options.random);
  }

  // What requests want.

  /** Lets it in: it is `ready` when it has its lease, or leaves. @throws ShedError */
  arrive(arrival: Arrival): Job {
    const { enabled } = this.#options.settings;
    const now = this.#now();
    const lane = this.#laneOf(arrival.model);
    const { continues } = arrival;
    const predictedMs = this.#rules.predictedMs(lane, arrival, now);
    if (enabled && continues === undefined) this.#letIn(lane, arrival, predictedMs, now);
    const job: Job = {
      arrival,
      arrivedAt: now,
      order: continues?.order ?? this.#nextOrder++,
      shareMs: lane.shareMs(arrival),
      laterMs: lane.laterMs(arrival),
      // Of the rest nothing is to be learnt: the gate can't know how long a load takes, and nobody is late without a deadline.
      predictedMs: arrival.isLoaded && arrival.deadline !== undefined ? predictedMs : undefined,
      deadline: now + this.#rules.allowedMs(arrival.deadline, now),
      waitingSince: now,
      isAlone: false,
      worker: undefined,
      state: { kind: 'PREPARING' },
    };
    lane.prepare(job);
    if (continues === undefined) this.#books.admitted++;
    if (enabled) this.#displaceLate(lane, arrival, now);
    return job;
  }

  /**
   * Why no request of these models could be through by the deadline, not even the smallest; undefined: one could. Looks at
   * nothing but who is there already.
   */
  earlyRefusal(models: Iterable<string>, deadline: number | undefined): ShedError | undefined {
    if (!this.#options.settings.enabled) return undefined;
    const lanes = Array.from(models, (model) => this.#lanes.get(model));
    const refusal = this.#rules.refusalOfAll(lanes, deadline, this.#now());
    if (refusal === undefined) return undefined;
    for (const lane of lanes) lane?.asked('refused');
    return this.#counted(refusal);
  }

  /** Its lease is there. @param worker what will run it */
  ready(job: Job, worker: object): void {
    if (job.state.kind !== 'PREPARING') return;
    const lane = this.#laneOf(job.arrival.model);
    const now = this.#now();
    lane.prepared(job);
    job.worker = worker;
    job.waitingSince = now;
    // Who waited for a load, and has no deadline, has not waited for its turn yet.
    if (job.arrival.deadline === undefined) job.deadline = now + this.#rules.allowedMs(undefined, now);
    job.state = { kind: 'WAITING' };
    lane.wait(job);
    this.#advance(lane);
  }

  /** It is answered. */
  finish(job: Job): void {
    if (job.state.kind === 'OVER') return;
    const now = this.#now();
    const { deadline, laterCharacters } = job.arrival;
    // A request is counted with its last run.
    if (laterCharacters === 0) {
      if (now <= job.deadline || deadline === undefined) this.#books.completed++;
      else this.#books.missed++;
    }
    this.#rules.learn(job, now - job.arrivedAt);
    // Its run has come to its end with it: that tells how long such runs take.
    if (job.state.kind === 'RUNNING') job.state.flight.jobs.delete(job);
    this.#drop(job);
  }

  /** It failed, or its caller does not want it any more. @param isLate since its deadline has passed */
  leave(job: Job, isLate = false): void {
    if (job.state.kind === 'OVER') return;
    if (isLate) {
      this.#books.missed++;
      // How long it would have taken nobody knows.
      this.#rules.learn(job, Number.POSITIVE_INFINITY);
    }
    this.#drop(job);
  }

  /** The run that it shared has failed: it waits for one of its own, where it was. */
  again(job: Job): void {
    if (job.state.kind !== 'RUNNING') return;
    this.#leaveFlight(job, job.state.flight);
    job.isAlone = true;
    job.state = { kind: 'WAITING' };
    const lane = this.#laneOf(job.arrival.model);
    lane.wait(job);
    this.#advance(lane);
  }

  // What comes of effects.

  /** The thread is through with the run. @param computeMs that it took; undefined: it died, or nothing was run */
  ended(flight: Flight, computeMs: number | undefined): void {
    if (computeMs !== undefined && flight.isWhole) this.#books.ran(flight.expectedMs, computeMs);
    const lane = this.#laneOf(flight.model);
    lane.end(flight, computeMs, this.#now());
    this.#advance(lane);
  }

  /** Does what is due. */
  tick(): void {
    for (const lane of this.#lanes.values()) this.#advance(lane);
  }

  // What can be seen.

  /** Whether any lane has a run. */
  get isAtWork(): boolean {
    for (const { flights } of this.#lanes.values()) if (flights.length > 0) return true;
    return false;
  }

  report(): AdmissionReport {
    const now = this.#now();
    const lanes = [...this.#lanes.values()];
    const sum = (of: (lane: Lane) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
    return {
      enabled: this.#options.settings.enabled,
      inFlight: sum(({ inFlight }) => inFlight),
      limit: sum(({ limit }) => limit),
      waiting: sum(({ waiting }) => waiting),
      workAheadMs: Math.max(0, ...lanes.map((lane) => lane.aheadMs('background', now))),
      ...this.#books.report(),
    };
  }

  // How it decides.

  /** @throws ShedError */
  #letIn(lane: Lane, arrival: Arrival, predictedMs: number | undefined, now: number): void {
    const refusal = this.#rules.refusal(lane, arrival, predictedMs, now);
    if (refusal !== undefined) {
      if (this.#rules.fitsAlone(lane, arrival, now)) lane.asked('refused');
      throw this.#counted(refusal);
    }
    this.#keepRoom(lane, arrival, now);
    lane.asked('admitted');
  }

  /** Sees to it that one more may wait. @throws ShedError */
  #keepRoom(lane: Lane, { priority }: Arrival, now: number): void {
    if (lane.waiting < this.#options.settings.queueLimit) return;
    const victim = lane.lastBelow(priority);
    if (victim === undefined) throw this.#counted(this.#rules.shed('queue', lane.aheadMs(priority, now)));
    this.#displace(victim, lane, now);
  }

  /** Who has been pushed back so far that it cannot be through in time is told so now. */
  #displaceLate(lane: Lane, { priority }: Arrival, now: number): void {
    for (let last = lane.lastBelow(priority); last !== undefined; last = lane.lastBelow(priority)) {
      if (!this.#rules.isPushedOut(lane, last, now)) return;
      this.#displace(last, lane, now);
    }
  }

  #displace(job: Job, lane: Lane, now: number): void {
    this.#drop(job);
    const error = this.#rules.shed('displaced', lane.aheadMs(job.arrival.priority, now));
    this.#options.effects.refused(job, this.#counted(error));
  }

  #advance(lane: Lane): void {
    const now = this.#now();
    const expired = [...lane.expired(now)];
    for (const job of expired) {
      this.leave(job, true);
      const model = lane.key;
      this.#options.effects.refused(job, new WaitExpiredError('the deadline passed before its turn came', { model }));
    }
    for (let next = lane.next(now); next !== undefined; next = lane.next(now)) {
      if ('lookAt' in next) {
        this.#options.effects.lookAt(next.lookAt);
        return;
      }
      this.#start(lane, next.jobs, now);
    }
  }

  #start(lane: Lane, jobs: readonly Job[], now: number): void {
    for (const job of jobs) lane.stopWaiting(job);
    const flight = lane.start(jobs, now);
    for (const job of jobs) {
      job.state = { kind: 'RUNNING', flight };
      this.#books.queueDelays.add(now - job.waitingSince);
    }
    this.#books.started(jobs.length);
    this.#options.effects.start(flight);
  }

  /** Out of whatever it is in. */
  #drop(job: Job): void {
    const { arrival, state } = job;
    const lane = this.#laneOf(arrival.model);
    job.state = { kind: 'OVER' };
    lane.over(job);
    switch (state.kind) {
      case 'PREPARING':
        lane.prepared(job);
        break;
      case 'WAITING':
        lane.stopWaiting(job);
        break;
      case 'RUNNING':
        this.#leaveFlight(job, state.flight);
        break;
      case 'OVER':
        break;
    }
  }

  /** Before the run has ended, its rows leave it too. */
  #leaveFlight(job: Job, flight: Flight): void {
    if (!flight.jobs.delete(job)) return;
    flight.isWhole = false;
    flight.expectedMs = flight.jobs.size === 0 ? 0 : Math.max(0, flight.expectedMs - job.shareMs);
  }

  #counted(error: ShedError): ShedError {
    this.#books.shed[error.reason]++;
    return error;
  }

  #laneOf(model: string): Lane {
    const known = this.#lanes.get(model);
    if (known !== undefined) return known;
    const now = this.#now();
    for (const [key, lane] of this.#lanes) {
      if (lane.isEmpty && now - lane.lastEndedAt > FORGOTTEN_MS) this.#lanes.delete(key);
    }
    const lane = new Lane(model, this.#options.settings, this.#options.isBatching);
    this.#lanes.set(model, lane);
    return lane;
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
