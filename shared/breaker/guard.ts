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
export async function guard<T>(breaker: Breaker, call: () => Promise<T>, judge: JudgeFailure): Promise<T> {
  const ticket = breaker.admit();
  if (ticket === undefined) throw breaker.refusal();
  return settling(breaker, ticket, call, judge);
}

/** Makes a call that was admitted, and tells the breaker what came of it. @throws what the call throws */
export async function settling<Ticket, T>(
  breaker: Settling<Ticket>,
  ticket: Ticket,
  call: () => Promise<T>,
  judge: JudgeFailure,
): Promise<T> {
  const startedAt = breaker.elapsed();
  let result: T;
  try {
    result = await call();
  } catch (thrown) {
    const tookMs = breaker.elapsed() - startedAt;
    breaker.settle(ticket, judge(thrown, tookMs), tookMs);
    throw thrown;
  }
  breaker.settle(ticket, 'success', breaker.judgesTime ? breaker.elapsed() - startedAt : 0);
  return result;
}
