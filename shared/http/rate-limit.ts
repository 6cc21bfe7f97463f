import type { Context } from 'hono';
import type { CallerLimits } from '../config/caller-limits.ts';
import { callerAddress } from './auth/caller-address.ts';
import type { Principal } from './auth/principal.ts';
import type { HttpEnv, RequestWork } from './environment.ts';
import { RateLimitedError } from './errors.ts';

/** What is limited. */
export type LimitedKind = 'requests' | 'characters';

export interface LimitedCaller {
  readonly subject: string;
  /** What is not there is not limited. */
  readonly perMinute: Readonly<Partial<Record<LimitedKind, number>>>;
  /** Whether all instances count together. */
  readonly isShared: boolean;
}

export interface RateVerdict {
  /** Which limit is reached, and in how many seconds it is not any more; undefined: none. */
  readonly refused: { readonly kind: LimitedKind; readonly perMinute: number; readonly seconds: number } | undefined;
  readonly gauges: readonly {
    readonly kind: LimitedKind;
    readonly perMinute: number;
    readonly left: number;
    /** Until all of it is left again. */
    readonly seconds: number;
  }[];
}

/** Counts what callers ask for. Does not reject. */
export interface RateLimiter {
  take(caller: LimitedCaller, used: Readonly<Record<LimitedKind, number>>): Promise<RateVerdict>;
}

/** Takes note of the work that a request brings, before any of it is done. @throws RateLimitedError */
export type AcceptWork = (c: Context<HttpEnv>, work: RequestWork) => Promise<void>;

export interface AcceptWorkOptions {
  readonly limiter: RateLimiter;
  /** Of callers whose key has none of its own. */
  readonly defaults: CallerLimits;
  readonly trustedProxies: number;
}

/** Holds each caller to its limits, and tells it of them in the answer's headers. */
export function createAcceptWork({ limiter, defaults, trustedProxies }: AcceptWorkOptions): AcceptWork {
  return async (c, work) => {
    c.set('work', work);
    const caller = callerOf(c, defaults, trustedProxies);
    if (Object.keys(caller.perMinute).length === 0) return;
    const { refused, gauges } = await limiter.take(caller, { requests: 1, characters: work.characters });
    // draft-ietf-httpapi-ratelimit-headers; it knows no unit for characters.
    const policies = gauges.map(({ kind, perMinute }) => `"${kind}";q=${perMinute};w=60${unitOf(kind)}`);
    c.header('ratelimit-policy', policies.join(', '));
    c.header('ratelimit', gauges.map(({ kind, left, seconds }) => `"${kind}";r=${left};t=${seconds}`).join(', '));
    if (refused === undefined) return;
    throw new RateLimitedError(`${refused.perMinute} ${refused.kind} per 1 minute`, {
      retryAfterSeconds: refused.seconds,
    });
  };
}

function callerOf(c: Context<HttpEnv>, defaults: CallerLimits, trustedProxies: number): LimitedCaller {
  const principal = c.get('principal');
  // Whoever does not say who they are is counted by where they are, and by each instance for itself.
  if (principal.kind === 'anonymous') {
    const subject = `address:${callerAddress(c, trustedProxies)}`;
    return { subject, perMinute: perMinuteOf(defaults), isShared: false };
  }
  const limits = { ...defaults, ...limitsOf(principal) };
  return { subject: `${principal.kind}:${principal.subject}`, perMinute: perMinuteOf(limits), isShared: true };
}

function limitsOf(principal: Principal): CallerLimits {
  return principal.kind === 'key' ? principal.limits : {};
}

function perMinuteOf({ requestsPerMinute, charactersPerMinute }: CallerLimits): LimitedCaller['perMinute'] {
  return {
    ...(requestsPerMinute === undefined ? {} : { requests: requestsPerMinute }),
    ...(charactersPerMinute === undefined ? {} : { characters: charactersPerMinute }),
  };
}

function unitOf(kind: LimitedKind): string {
  return kind === 'requests' ? '' : `;qu="${kind}"`;
}
