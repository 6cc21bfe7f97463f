import type { AccessSettings } from '../../shared/config/access.ts';
import type { Scope } from '../../shared/config/scopes.ts';
import { type Authenticate, createAuthenticate, type KeyAnswer } from '../../shared/http/auth/authenticate.ts';

/** What nobody has configured otherwise. */
export const strictAccess: AccessSettings = {
  anonymousScopes: [],
  jwtScopes: new Map([
    ['casalingua/infer', 'infer'],
    ['casalingua/read', 'read'],
    ['casalingua/admin', 'admin'],
  ]),
  iamScopes: [],
  keyTtlMs: 60_000,
  trustedProxies: 0,
};

/** The real thing over keys that stand in a list, by the key. */
export function authenticateBy(
  keys: Readonly<Record<string, KeyAnswer>>,
  { access = {}, clock = { now: () => 0 } }: { access?: Partial<AccessSettings>; clock?: { now(): number } } = {},
): Authenticate {
  const lookUp = (key: string): KeyAnswer => keys[key] ?? { kind: 'invalid' };
  return createAuthenticate({ keys: { lookUp }, access: { ...strictAccess, ...access }, clock });
}

/** Nobody has to say who they are for these. */
export function anybodyMay(...anonymousScopes: Scope[]): Authenticate {
  return authenticateBy({}, { access: { anonymousScopes } });
}
