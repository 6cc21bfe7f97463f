import type { AdmissionReport } from '../../../shared/admission/admission-report.ts';
import type { ShedError, WaitExpiredError } from '../../../shared/admission/errors.ts';
import type { Job } from '../../../shared/admission/job.ts';
import { AdmissionScheduler } from '../../../shared/admission/scheduler.ts';
import type { AdmissionSettings } from '../../../shared/config/admission.ts';
import { SeededRandom } from '../fleet/seeded-random.ts';
import { VirtualTime } from '../fleet/virtual-time.ts';

export interface OpenLoop {
  readonly settings: AdmissionSettings;
  readonly isBatching: boolean;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly seed: number;
  /** How many times slower than usual the machine is, s from the start. */
  readonly slowness?: (second: number) => number;
}

export interface Outcome {
  /** Answers within the deadline, per second. */
  readonly goodput: number;
  /** Of those admitted: the share whose deadline passed. */
  readonly missed: number;
  /** Ms from the arrival to the answer, of those that were answered. */
  readonly p99: number;
  readonly report: AdmissionReport;
}

/** Ms that a run takes besides its characters, and for each of them. */
const PER_RUN = 3;
const PER_CHARACTER = 0.15;
/** Of runs, that something else on the machine holds up; and for how many ms at most. */
const HICCUPS = 0.01;
const HICCUP_MS = 60;
const WARM_SECONDS = 5;

/** Requests at random times, short and long, for one model whose runs take a random time; callers do not wait for each other. */
export function runOpenLoop({
  settings,
  isBatching,
  requestsPerSecond,
  seconds,
  seed,
  slowness = () => 1,
}: OpenLoop): Outcome {
  const time = new VirtualTime();
  const random = new SeededRandom(seed);
  const threads = { freeAt: 0 };
  const worker = {};
  const callers = new Map<Job, () => void>();
  const latencies: number[] = [];
  let admitted = 0;
  let good = 0;
  let missed = 0;

  const scheduler = new AdmissionScheduler({
    settings,
    isBatching,
    clock: time,
    random: () => random.next(),
    effects: {
      start(flight) {
        const begins = Math.max(time.now(), threads.freeAt);
        const work = (PER_RUN + PER_CHARACTER * flight.characters) * random.between(0.75, 1.25);
        const hiccup = random.happens(HICCUPS) ? random.between(0, HICCUP_MS) : 0;
        const computeMs = work * slowness(begins / 1000) + hiccup;
        threads.freeAt = begins + computeMs;
        time.at(threads.freeAt + random.between(0.1, 1), () => {
          for (const job of [...flight.jobs]) {
            scheduler.finish(job);
            callers.get(job)?.();
          }
          scheduler.ended(flight, computeMs);
        });
      },
      refused: (_job: Job, _error: ShedError | WaitExpiredError) => undefined,
      lookAt: (at) => time.at(at, () => scheduler.tick()),
    },
  });

  const counts = () => time.now() > WARM_SECONDS * 1000;
  const arrive = () => {
    time.after(random.untilNext(requestsPerSecond), arrive);
    const isLong = random.happens(0.15);
    const characters = isLong ? random.whole(150, 600) : random.whole(8, 80);
    const deadline = time.now() + random.pick([500, 1_000, 2_000]);
    const arrivedAt = time.now();
    let job: Job;
    try {
      job = scheduler.arrive({
        model: 'm@1',
        isLoaded: true,
        priority: 'interactive',
        kind: 'en-es',
        texts: 1,
        characters,
        beams: 1,
        laterCharacters: 0,
        deadline,
      });
    } catch {
      return;
    }
    if (counts()) admitted++;
    const isCounted = counts();
    callers.set(job, () => {
      callers.delete(job);
      if (!isCounted) return;
      latencies.push(time.now() - arrivedAt);
      if (time.now() <= deadline) good++;
      else missed++;
    });
    time.at(deadline, () => {
      if (!callers.delete(job)) return;
      if (isCounted) missed++;
      scheduler.leave(job, true);
    });
    scheduler.ready(job, worker);
  };
  arrive();
  time.runUntil((WARM_SECONDS + seconds) * 1000);
  latencies.sort((a, b) => a - b);
  return {
    goodput: good / seconds,
    missed: missed / Math.max(1, admitted),
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    report: scheduler.report(),
  };
}
