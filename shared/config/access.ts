import * as z from 'zod/mini';
import type { CallerLimits } from './caller-limits.ts';
import { allScopes, type Scope } from './scopes.ts';
import { whole, wholeNumber } from './whole-number.ts';

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

const scopesOf = (allowed: readonly Scope[]) =>
  z.pipe(
    z._default(z.string(), ''),
    z.pipe(
      z.transform((text: string) =>
        [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== ''),
      ),
      z.array(z.enum(allowed)),
    ),
  );

const tokenScopes = z.pipe(
  z._default(z.string(), JSON.stringify(Object.fromEntries(allScopes.map((scope) => [`casalingua/${scope}`, scope])))),
  z.pipe(z.transform(parseJson), z.record(z.string(), z.enum(allScopes))),
);

/** The variables of the environment that decide on it; docs/configuration.md. */
export const accessVariables = {
  CASALINGUA_ANONYMOUS_SCOPES: scopesOf(['infer', 'read']),
  CASALINGUA_JWT_SCOPES: tokenScopes,
  CASALINGUA_IAM_SCOPES: scopesOf(allScopes),
  CASALINGUA_KEY_TTL_MS: whole(60_000, 0, 900_000),
  CASALINGUA_TRUSTED_PROXIES: whole(0, 0, 10),
  CASALINGUA_LIMIT_REQUESTS_PER_MINUTE: z.optional(wholeNumber(1, 1_000_000_000)),
  CASALINGUA_LIMIT_CHARACTERS_PER_MINUTE: z.optional(wholeNumber(1, 1_000_000_000)),
};

/** What is right for those whose values have a form of their own. */
export const accessForms: Readonly<Partial<Record<keyof typeof accessVariables, string>>> = {
  CASALINGUA_ANONYMOUS_SCOPES: 'infer, read, or both with a comma: who changes things has to say who it is',
  CASALINGUA_JWT_SCOPES: 'JSON like {"casalingua/infer":"infer"}, from a token\'s scope to infer, read or admin',
  CASALINGUA_IAM_SCOPES: 'of infer, read and admin, separated by commas',
};

type AccessVariables = z.output<ReturnType<typeof z.object<typeof accessVariables>>>;

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

/** Anything that isn't JSON fails the check that follows. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
