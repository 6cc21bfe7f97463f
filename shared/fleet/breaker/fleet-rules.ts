import type { CircuitBreakerSettings } from '../../config/circuit-breaker.ts';
import type { Counted } from './digest-entry.ts';

/*
 * The numbers of the fleet's breakers, and what follows from them. Pure; all times in ms.
 */

/** Voters that matter at most, and those that are drawn to vote in a large fleet. */
export const MOST_VOTERS = 64;
/** One register of votes. */
export const VOTE_WINDOW_MS = 30_000;
/** Between two looks of the monitor; a count is believed for two of them. */
export const MONITOR_PERIOD_MS = 60_000;
/** Instances that try at once to claim a probe, or to close after a ramp. */
const TRIES_AT_ONCE = 10;
/** A breaker that opens again and again stays open so many times its first time at most. */
const LONGEST_OPEN = 6;
/** Of `resetMs`, after the end of an opening: the time until it counts no more. */
const DECAY = 4;
/** Of the active instances. */
const QUORUM = 0.2;
/** How much longer than needed it stays open, at most, so that not all breakers are probed in one moment. */
const JITTER = 0.1;

/** Instances that called a breaker lately, if that is known well enough to go by it. */
export function knownActive(active: Counted | undefined, wall: number): number | undefined {
  if (active === undefined || active.count < 1) return undefined;
  return Math.abs(wall - active.at) <= 2 * MONITOR_PERIOD_MS ? active.count : undefined;
}

/** Ms for which the so-manieth opening in a row lasts, without its random part. */
export function openMsOf(openings: number, resetMs: number): number {
  return resetMs * Math.min(LONGEST_OPEN, 2 ** (openings - 1));
}

/** Ms for which it is to stay open now. @param random 0 up to 1 */
export function drawOpenMs(openings: number, resetMs: number, random: number): number {
  return Math.round(openMsOf(openings, resetMs) * (1 + JITTER * random));
}

/** Openings in a row that still count: those of a breaker that has been well for long do not. */
export function openingsThatCount(openings: Counted | undefined, wall: number, resetMs: number): number {
  if (openings === undefined) return 0;
  const isOver = wall - openings.at > openMsOf(openings.count, resetMs) + DECAY * resetMs;
  return isOver ? 0 : openings.count;
}

/** Voters that trip a fleet of at least two; a breaker that flaps needs half of them. */
export function quorumOf(active: number, openings: number): number {
  const share = openings > 0 ? QUORUM / 2 : QUORUM;
  return Math.max(2, Math.ceil(share * Math.min(active, MOST_VOTERS)));
}

/**
 * Bad calls that one instance must have seen before it votes, so that a quorum stands for as many as open a breaker alone:
 * in a large fleet the first is enough, and two that failed on two instances close a model to nobody.
 */
export function badCallsToVote(settings: CircuitBreakerSettings, quorum: number): number {
  const alone =
    settings.rule === 'consecutive'
      ? settings.failureThreshold
      : (settings.minimumCalls * settings.failureRatePercent) / 100;
  return Math.max(1, Math.ceil(alone / quorum));
}

/** The probability with which one instance of them votes in a window. */
export function voteProbability(active: number): number {
  return Math.min(1, MOST_VOTERS / active);
}

/** The probability with which one instance tries in a second, so that about ten of them do. */
export function tryProbability(active: number | undefined): number {
  return Math.min(1, TRIES_AT_ONCE / (active ?? MOST_VOTERS));
}

/** The same for calls that nobody coordinates, while the store is away: about one. */
export function blindProbability(active: number | undefined): number {
  return 1 / (active ?? MOST_VOTERS);
}
