import { quantile } from '../statistics.ts';
import type { Wish } from './mix.ts';

/** What came of one request; times in ms. */
export interface Outcome extends Pick<Wish, 'size' | 'deadlineMs'> {
  /** From the moment in which it was to be sent, however late it was. */
  readonly tookMs: number;
  /** How late it was sent. */
  readonly lateMs: number;
  /** 0: the caller had gone before an answer came. */
  readonly status: number;
  readonly hasRetryAfter: boolean;
}

/** What a load came to. Times are in ms, rates per second of what was asked for. */
export interface Level {
  readonly offeredPerSecond: number;
  /** Answers in time. */
  readonly goodputPerSecond: number;
  readonly admitted: number;
  /** Of those admitted: not answered in time. */
  readonly missed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of long texts alone. */
  readonly longP99Ms: number;
  readonly refused: number;
  readonly refusedP99Ms: number;
  /** Refused without being told when to come back. */
  readonly withoutRetryAfter: number;
  /** Neither an answer, nor a refusal, nor a deadline that passed. */
  readonly otherFailures: number;
  /** How many of each status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly healthP50Ms: number;
  readonly healthP99Ms: number;
  /** How far the generator fell behind its own schedule. */
  readonly lateP99Ms: number;
}

const refusals: readonly number[] = [429, 503];
/** Answered, too late, or given up. */
const admissions: readonly number[] = [200, 504, 0];

export interface Observed {
  readonly outcomes: readonly Outcome[];
  /** Ms that asking for its health took, in the middle of it all. */
  readonly healthMs: readonly number[];
  /** In which they were to be sent. */
  readonly durationMs: number;
}

export function levelOf({ outcomes, healthMs, durationMs }: Observed): Level {
  const seconds = durationMs / 1000;
  const admitted = outcomes.filter(({ status }) => admissions.includes(status));
  const refused = outcomes.filter(({ status }) => refusals.includes(status));
  const answered = admitted.filter(({ status }) => status === 200);
  const inTime = answered.filter(({ tookMs, deadlineMs }) => tookMs <= deadlineMs);
  const statuses: Record<string, number> = {};
  for (const { status } of outcomes) statuses[status] = (statuses[status] ?? 0) + 1;
  return {
    offeredPerSecond: outcomes.length / seconds,
    goodputPerSecond: inTime.length / seconds,
    admitted: admitted.length,
    missed: admitted.length - inTime.length,
    p50Ms: timeOf(admitted, 0.5),
    p99Ms: timeOf(admitted, 0.99),
    longP99Ms: timeOf(
      admitted.filter(({ size }) => size === 'long'),
      0.99,
    ),
    refused: refused.length,
    refusedP99Ms: timeOf(refused, 0.99),
    withoutRetryAfter: refused.filter(({ hasRetryAfter }) => !hasRetryAfter).length,
    otherFailures: outcomes.length - admitted.length - refused.length,
    statuses,
    healthP50Ms: quantileOrZero(healthMs, 0.5),
    healthP99Ms: quantileOrZero(healthMs, 0.99),
    lateP99Ms: quantileOrZero(
      outcomes.map(({ lateMs }) => lateMs),
      0.99,
    ),
  };
}

function timeOf(outcomes: readonly Outcome[], share: number): number {
  return quantileOrZero(
    outcomes.map(({ tookMs }) => tookMs),
    share,
  );
}

/** Nothing took no time. */
function quantileOrZero(values: readonly number[], share: number): number {
  return values.length === 0 ? 0 : quantile(values, share);
}
