import type { CallerLimits } from './caller-limits.ts';
import type { Checks } from './checks.ts';
import { allScopes, type Scope } from './scopes.ts';
import { names, optionalWhole, type ValuesOf, whole } from './variables.ts';

/** Who may do what, beside those with an API key. */
export interface AccessSettings {
  /** Of callers without any credentials. */
  readonly anonymousScopes: readonly Scope[];
  /** What the scopes of a token that the gateway has checked allow, by their names there. */
  readonly jwtScopes: ReadonlyMap<string, Scope>;
  /** Of callers whose signature the gateway has checked. */
  readonly iamScopes: readonly Scope[];
  /** Ms for which an API key is known without asking the store again. */
  readonly keyTtlMs: number;
  /** Proxies before the server that add to `X-Forwarded-For`; 0: the header is not looked at. */
  readonly trustedProxies: number;
}

/** The variables of the environment that decide on it; docs/configuration.md. */
export function accessVariables(checks: () => Checks) {
  return {
    CASALINGUA_ANONYMOUS_SCOPES: names(
      (name): name is 'infer' | 'read' => name === 'infer' || name === 'read',
      'infer, read, or both with a comma: who changes things has to say who it is',
    ),
    CASALINGUA_JWT_SCOPES: {
      read: (text: string) => checks().jwtScopes(text),
      absent: () => ({ value: Object.fromEntries(allScopes.map((scope) => [`casalingua/${scope}`, scope])) }),
    },
    CASALINGUA_IAM_SCOPES: names(isScope, 'of infer, read and admin, separated by commas'),
    CASALINGUA_KEY_TTL_MS: whole(60_000, 0, 900_000),
    CASALINGUA_TRUSTED_PROXIES: whole(0, 0, 10),
    CASALINGUA_LIMIT_REQUESTS_PER_MINUTE: optionalWhole(1, 1_000_000_000),
    CASALINGUA_LIMIT_CHARACTERS_PER_MINUTE: optionalWhole(1, 1_000_000_000),
  };
}

type AccessVariables = ValuesOf<ReturnType<typeof accessVariables>>;

export function toAccessSettings(e: AccessVariables): AccessSettings {
  return {
    anonymousScopes: e.CASALINGUA_ANONYMOUS_SCOPES,
    jwtScopes: new Map(Object.entries(e.CASALINGUA_JWT_SCOPES)),
    iamScopes: e.CASALINGUA_IAM_SCOPES,
    keyTtlMs: e.CASALINGUA_KEY_TTL_MS,
    trustedProxies: e.CASALINGUA_TRUSTED_PROXIES,
  };
}

export function toCallerLimits(e: AccessVariables): CallerLimits {
  const requestsPerMinute = e.CASALINGUA_LIMIT_REQUESTS_PER_MINUTE;
  const charactersPerMinute = e.CASALINGUA_LIMIT_CHARACTERS_PER_MINUTE;
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(charactersPerMinute === undefined ? {} : { charactersPerMinute }),
  };
}

function isScope(name: string): name is Scope {
  return allScopes.some((scope) => scope === name);
}
