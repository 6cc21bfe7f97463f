/**
 * Sends requests at their times, whatever comes back: no caller waits for another's answer (open loop), and what a request
 * took counts from when it was to be sent, so that a server that stands still is not spared (coordinated omission).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { SeededRandom } from '../../simulation/fleet/seeded-random.ts';
import { serve } from '../serve.ts';
import { arrivalTimes, nextWish, type Wish } from './mix.ts';
import { type Level, levelOf, type Outcome } from './outcome.ts';

export interface GeneratorStart {
  readonly sentences: readonly string[];
}

export type GeneratorRequest =
  | {
      readonly type: 'open';
      readonly origin: string;
      readonly perSecond: number;
      /** Sent and not counted, before what counts. */
      readonly warmMs: number;
      readonly durationMs: number;
      readonly seed: number;
    }
  | {
      readonly type: 'closed';
      readonly origin: string;
      /** Each asks again as soon as it is answered, without a deadline that matters. */
      readonly callers: number;
      readonly durationMs: number;
      readonly seed: number;
    };

export type GeneratorReply =
  | { readonly type: 'open'; readonly level: Level; readonly cpuShare: number }
  | { readonly type: 'closed'; readonly perSecond: number };

/** A caller that was not answered by then hangs up; what the server says at the deadline is still heard. */
const PATIENCE_MS = 500;
const HEALTH_EVERY_MS = 100;
const LONG_ENOUGH_MS = 60_000;

const { sentences } = JSON.parse(process.argv[2] ?? '') as GeneratorStart;

serve<GeneratorRequest, GeneratorReply>(async (request) => {
  // As many connections as there are requests under way.
  const pool = new Pool(request.origin, { connections: null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  try {
    switch (request.type) {
      case 'open':
        return await runOpen(pool, request);
      case 'closed':
        return await runClosed(pool, request);
    }
  } finally {
    await pool.destroy();
  }
});

async function runOpen(
  pool: Pool,
  { origin, perSecond, warmMs, durationMs, seed }: Extract<GeneratorRequest, { type: 'open' }>,
): Promise<GeneratorReply> {
  const random = new SeededRandom(seed);
  const times = arrivalTimes(perSecond, warmMs + durationMs, random);
  const wishes = times.map(() => nextWish(sentences, random));
  const outcomes: Promise<Outcome>[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  const health = watchHealth(origin, start + warmMs);
  let next = 0;
  while (next < times.length) {
    const elapsed = performance.now() - start;
    for (; next < times.length && (times[next] as number) <= elapsed; next++) {
      const due = start + (times[next] as number);
      const outcome = send(pool, wishes[next] as Wish, due);
      if ((times[next] as number) >= warmMs) outcomes.push(outcome);
    }
    await delay(1);
  }
  const { user, system } = process.cpuUsage(cpu);
  const cpuShare = (user + system) / 1000 / (performance.now() - start);
  const healthMs = await health.stop();
  const level = levelOf({ outcomes: await Promise.all(outcomes), healthMs, durationMs });
  return { type: 'open', level, cpuShare };
}

async function runClosed(
  pool: Pool,
  { callers, durationMs, seed }: Extract<GeneratorRequest, { type: 'closed' }>,
): Promise<GeneratorReply> {
  const random = new SeededRandom(seed);
  const end = performance.now() + durationMs;
  let answered = 0;
  const caller = async () => {
    while (performance.now() < end) {
      const now = performance.now();
      const { status } = await send(pool, { ...nextWish(sentences, random), deadlineMs: LONG_ENOUGH_MS }, now);
      if (status === 200 && performance.now() < end) answered++;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { type: 'closed', perSecond: (answered / durationMs) * 1000 };
}

/** @param due when it is to be sent; never rejects */
function send(pool: Pool, { size, deadlineMs, body }: Wish, due: number): Promise<Outcome> {
  const lateMs = performance.now() - due;
  return new Promise((resolve) => {
    let status = 0;
    let hasRetryAfter = false;
    let controller: Dispatcher.DispatchController | undefined;
    const giveUp = setTimeout(
      () => controller?.abort(new Error('the caller has gone')),
      Math.max(0, deadlineMs + PATIENCE_MS - lateMs),
    );
    const over = (answer: number) => {
      clearTimeout(giveUp);
      resolve({ size, deadlineMs, lateMs, tookMs: performance.now() - due, status: answer, hasRetryAfter });
    };
    pool.dispatch(
      {
        path: '/translate',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-deadline-ms': String(deadlineMs) },
        body,
      },
      {
        onRequestStart: (given) => {
          controller = given;
        },
        onResponseStart: (_, statusCode, headers) => {
          status = statusCode;
          hasRetryAfter = headers['retry-after'] !== undefined;
        },
        onResponseData: () => undefined,
        onResponseEnd: () => over(status),
        onResponseError: () => over(0),
      },
    );
  });
}

/** Asks for the health at fixed times, each counted from when it was due; what fails took until it failed. */
function watchHealth(origin: string, from: number): { stop(): Promise<number[]> } {
  const pool = new Pool(origin, { connections: null, pipelining: 1 });
  const asked: Promise<number>[] = [];
  let due = from;
  const ask = async (since: number) => {
    const answer = await pool.request({ path: '/health', method: 'GET' }).catch(() => undefined);
    await answer?.body.dump();
    return performance.now() - since;
  };
  const timer = setInterval(() => {
    for (; due <= performance.now(); due += HEALTH_EVERY_MS) asked.push(ask(due));
  }, 5);
  return {
    async stop() {
      clearInterval(timer);
      const took = await Promise.all(asked);
      await pool.destroy();
      return took;
    },
  };
}
