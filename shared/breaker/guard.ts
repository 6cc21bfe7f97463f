import type { Breaker } from './breaker.ts';
import type { Verdict } from './evidence.ts';

/** What a failure says of what was called, after so many ms. */
export type JudgeFailure = (thrown: unknown, tookMs: number) => Verdict;

/** A breaker as a call under way needs it. */
export interface Settling<Ticket> {
  /** Whether it matters how long a call that succeeded took. */
  readonly judgesTime: boolean;
  /** Ms that have passed. */
  elapsed(): number;
  settle(ticket: Ticket, verdict: Verdict, tookMs: number): void;
}

/** Makes one call under a breaker. @throws BreakerOpenError, or what the call throws */
export function guard<T>(breaker: Breaker, call: () => Promise<T>, judge: JudgeFailure): Promise<T> {
  const ticket = breaker.admit();
  if (ticket === undefined) return Promise.reject(breaker.refusal());
  // Handed on as it is: another async function around it would cost as much as the breaker.
  return settling(breaker, ticket, undefined, call, judge);
}

/**
 * Makes a call that was admitted, and tells the breaker what came of it before the caller hears of it. @throws what the call throws
 * @param limits handed to the call
 */
export function settling<Ticket, Limits, T>(
  breaker: Settling<Ticket>,
  ticket: Ticket,
  limits: Limits,
  call: (limits: Limits) => Promise<T>,
  judge: JudgeFailure,
): Promise<T> {
  const startedAt = breaker.elapsed();
  const running = begin(call, limits);
  running.then(
    () => breaker.settle(ticket, 'success', breaker.judgesTime ? breaker.elapsed() - startedAt : 0),
    (thrown: unknown) => {
      const tookMs = breaker.elapsed() - startedAt;
      breaker.settle(ticket, judge(thrown, tookMs), tookMs);
    },
  );
  // To catch what it throws, and throw it again, would cost more than all that a breaker does.
  return running;
}

/** A call that throws at once is one that fails. */
function begin<Limits, T>(call: (limits: Limits) => Promise<T>, limits: Limits): Promise<T> {
  try {
    return call(limits);
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
