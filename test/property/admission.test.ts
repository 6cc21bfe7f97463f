import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShedError } from '../../shared/admission/errors.ts';
import type { Job } from '../../shared/admission/job.ts';
import type { AdmissionSettings } from '../../shared/config/admission.ts';
import { admissionSettings } from '../support/admission-settings.ts';
import { GateStage } from '../support/gate-stage.ts';

const kinds = [
  'arrive',
  'get its lease',
  'leave',
  'a run ends',
  'a run fails',
  'the worker crashes',
  'time passes',
  'tick',
] as const;

/** What can happen, in any order; `pick` chooses among what is there at that moment, `amount` how much, 0 to 999. */
interface Event {
  readonly kind: (typeof kinds)[number];
  readonly pick: number;
  readonly amount: number;
}

const anyEvent: fc.Arbitrary<Event> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Event['kind']>('arrive') },
    { weight: 4, arbitrary: fc.constant<Event['kind']>('a run ends') },
    { weight: 7, arbitrary: fc.constantFrom(...kinds) },
  ),
  pick: fc.nat(60),
  amount: fc.nat(999),
});

const anySettings: fc.Arbitrary<AdmissionSettings> = fc
  .record({
    enabled: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
    defaultWaitMs: fc.constantFrom(100, 1_000),
    longestWaitMs: fc.constantFrom(200, 30_000),
    standingWaitPercent: fc.constantFrom(10, 100),
    overloadWaitPercent: fc.constantFrom(1, 10, 100),
    standingAfterMs: fc.constantFrom(0, 500),
    queueLimit: fc.constantFrom(1, 3, 20),
    concurrency: fc.integer({ min: 1, max: 3 }),
    batching: fc.record({ maxRows: fc.constantFrom(1, 4, 8), maxWaitMs: fc.constantFrom(0, 5) }),
  })
  .map(admissionSettings);

const priorities = ['interactive', 'batch', 'background'] as const;
const urgency = (job: Job) => priorities.indexOf(job.arrival.priority as (typeof priorities)[number]);
const workers = [{}, {}];

/** A gate to which anything happens, and what is never to be. */
class World {
  readonly stage: GateStage;
  readonly #settings: AdmissionSettings;
  readonly #isBatching: boolean;
  /** Let in, and not through yet. */
  readonly #inside = new Set<Job>();
  readonly #flown = new Set<object>();
  #shed = 0;

  constructor(settings: AdmissionSettings, isBatching: boolean, isTaught: boolean) {
    this.#settings = settings;
    this.#isBatching = isBatching;
    this.stage = new GateStage(settings, { isBatching });
    if (isTaught) this.stage.teach(20, { model: 'm@0' }).teach(5, { model: 'm@1', beams: 2 });
  }

  happens({ kind, pick, amount }: Event): void {
    const { stage } = this;
    const one = <Item>(items: readonly Item[]): Item | undefined => items[pick % items.length];
    switch (kind) {
      case 'arrive':
        this.#arrive(pick, amount);
        break;
      case 'get its lease': {
        const job = one([...this.#inside].filter(({ state }) => state.kind === 'PREPARING'));
        if (job !== undefined) this.#ready(job, pick);
        break;
      }
      case 'leave': {
        const job = one([...this.#inside]);
        if (job === undefined) break;
        this.#inside.delete(job);
        stage.scheduler.leave(job, stage.now >= job.deadline);
        break;
      }
      case 'a run ends': {
        if (stage.flights.length === 0) break;
        const [flight] = stage.flights;
        const jobs = [...(flight?.jobs ?? [])];
        for (const job of jobs) this.#inside.delete(job);
        stage.land(amount / 10);
        for (const job of jobs) if (job.arrival.laterCharacters > 0) this.#goOn(job, pick);
        break;
      }
      case 'a run fails': {
        const flight = stage.flights.shift();
        if (flight === undefined) break;
        for (const job of [...flight.jobs]) {
          if (flight.size > 1) {
            stage.scheduler.again(job);
          } else {
            this.#inside.delete(job);
            stage.scheduler.leave(job);
          }
        }
        stage.scheduler.ended(flight, undefined);
        break;
      }
      case 'the worker crashes':
        for (const flight of stage.flights.splice(0)) {
          for (const job of [...flight.jobs]) {
            this.#inside.delete(job);
            stage.scheduler.leave(job);
          }
          stage.scheduler.ended(flight, undefined);
        }
        break;
      case 'time passes':
        stage.now += amount / 4;
        break;
      case 'tick':
        stage.scheduler.tick();
    }
    this.#check();
  }

  /** Everything comes to its end. */
  end(): void {
    const { stage } = this;
    for (const job of this.#inside) {
      if (job.state.kind !== 'PREPARING') continue;
      this.#ready(job, 0);
      this.#check();
    }
    for (let round = 0; round < 1_000 && this.#inside.size > 0; round++) {
      stage.now += 10;
      stage.scheduler.tick();
      if (stage.flights.length > 0) this.happens({ kind: 'a run ends', pick: 0, amount: 10 });
      this.#check();
    }
    // Runs that everybody has left still end.
    while (stage.flights.length > 0) stage.land(1);
    expect(this.#inside.size).toBe(0);
    const report = stage.scheduler.report();
    expect(report).toMatchObject({ inFlight: 0, waiting: 0, workAheadMs: 0 });
    const { shed, admitted } = report;
    const displaced = [...stage.refusals.values()].filter((error) => error instanceof ShedError).length;
    expect(shed.displaced).toBe(displaced);
    expect(shed.deadline + shed.queue).toBe(this.#shed);
    expect(report.completed + report.missed).toBeLessThanOrEqual(admitted);
  }

  #arrive(pick: number, amount: number): void {
    const { stage } = this;
    const priority = priorities[pick % 3] ?? 'interactive';
    const asked = {
      priority,
      model: `m@${pick % 2}`,
      isLoaded: pick % 7 !== 0,
      isReady: false,
      kind: `kind ${pick % 2}`,
      texts: 1 + (amount % 3),
      characters: 1 + (amount % 200),
      beams: 1 + (pick % 2),
      laterCharacters: priority === 'interactive' ? 0 : (amount % 3) * 50,
      ...(amount % 4 === 0 ? {} : { within: amount }),
    };
    const before = new Set(stage.refusals.keys());
    try {
      const job = stage.ask(asked);
      this.#inside.add(job);
      if (pick % 5 !== 0) this.#ready(job, pick);
    } catch (thrown) {
      if (!(thrown instanceof ShedError)) throw thrown;
      this.#shed++;
      expect(thrown.retryAfterSeconds).toBeGreaterThanOrEqual(1);
      expect(this.#settings.enabled).toBe(true);
    }
    for (const [job, error] of stage.refusals) {
      if (before.has(job) || !(error instanceof ShedError)) continue;
      // Only those make way who are less urgent.
      expect(urgency(job)).toBeGreaterThan(priorities.indexOf(priority));
    }
  }

  /** The request's next run, which is not refused. */
  #goOn(job: Job, pick: number): void {
    const { arrival } = job;
    const laterCharacters = arrival.laterCharacters - 50;
    const next = this.stage.scheduler.arrive({ ...arrival, laterCharacters, continues: job });
    expect(next.order).toBe(job.order);
    this.#inside.add(next);
    this.#ready(next, pick);
  }

  #ready(job: Job, pick: number): void {
    this.stage.scheduler.ready(job, workers[pick % workers.length] ?? {});
  }

  #check(): void {
    const { stage } = this;
    const { concurrency, queueLimit, enabled, batching } = this.#settings;
    for (const job of stage.refusals.keys()) {
      this.#inside.delete(job);
      expect(job.state.kind).toBe('OVER');
    }
    for (const model of ['m@0', 'm@1']) {
      const flights = stage.flights.filter((flight) => flight.model === model);
      const aboard = flights.reduce((sum, { jobs }) => sum + jobs.size, 0);
      const waiting = [...this.#inside].filter(
        ({ arrival, state }) => arrival.model === model && state.kind !== 'RUNNING',
      );
      expect(flights.length).toBeLessThanOrEqual(concurrency);
      expect(aboard).toBeLessThanOrEqual(concurrency * (this.#isBatching ? batching.maxRows : 1));
      const newcomers = waiting.filter(({ arrival }) => arrival.continues === undefined);
      if (enabled) expect(newcomers.length).toBeLessThanOrEqual(queueLimit);
      // Who goes on was in flight before, and nobody of its priority goes before it.
      const mostAboard = concurrency * (this.#isBatching ? batching.maxRows : 1);
      expect(waiting.length - newcomers.length).toBeLessThanOrEqual(2 * mostAboard);
    }
    for (const flight of stage.flights) {
      const jobs = [...flight.jobs];
      const rows = jobs.reduce((sum, { arrival }) => sum + arrival.texts * arrival.beams, 0);
      if (flight.size > 1) expect(rows).toBeLessThanOrEqual(this.#isBatching ? batching.maxRows : 0);
      expect(
        new Set(jobs.map(({ arrival, worker }) => `${arrival.kind} ${workers.indexOf(worker ?? {})}`)).size,
      ).toBeLessThan(2);
      if (this.#flown.has(flight)) continue;
      this.#flown.add(flight);
      if (flight.size > 1) expect(jobs.some(({ isAlone }) => isAlone)).toBe(false);
      // Nobody begins too late, and nobody is overtaken but by whoever shares the run of an earlier one.
      for (const job of jobs) expect(job.deadline).toBeGreaterThan(flight.startedAt);
      this.#expectFirst(flight.startedAt, jobs);
    }
    const { workAheadMs } = stage.scheduler.report();
    expect(workAheadMs).toBeGreaterThanOrEqual(0);
    expect(Number.isFinite(workAheadMs)).toBe(true);
  }

  #expectFirst(now: number, jobs: readonly Job[]): void {
    const [first] = jobs;
    if (first === undefined) return;
    const place = (job: Job) => [urgency(job), job.order] as const;
    const behind = [...this.#inside].filter(
      (job) => job.arrival.model === first.arrival.model && job.state.kind === 'WAITING' && job.deadline > now,
    );
    for (const job of behind) {
      // Who goes on comes back when the run after its own has perhaps begun.
      if (job.arrival.continues !== undefined && job.arrivedAt === now) continue;
      const [theirs, mine] = [place(job), place(first)];
      expect(theirs[0] > mine[0] || (theirs[0] === mine[0] && theirs[1] > mine[1])).toBe(true);
    }
  }
}

describe.each([
  ['runs one request at a time', false],
  ['lets requests share runs', true],
])('a gate that %s', (_, isBatching) => {
  test("keeps its bounds, its order and everybody's deadline, answers each once, and comes to rest", () => {
    fc.assert(
      fc.property(anySettings, fc.boolean(), fc.array(anyEvent, { maxLength: 80 }), (settings, isTaught, events) => {
        const world = new World(settings, isBatching, isTaught);
        for (const event of events) world.happens(event);
        world.end();
      }),
      { numRuns: 250 },
    );
  });
});
