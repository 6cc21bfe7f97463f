import type { Context } from 'hono';
import type { AccessSettings } from '../../config/access.ts';
import type { CallerLimits } from '../../config/caller-limits.ts';
import type { Scope } from '../../config/scopes.ts';
import type { Clock, HttpEnv } from '../environment.ts';
import type { AccessRule } from './access-rules.ts';
import { callerAddress } from './caller-address.ts';
import { KeysUnavailableError, TooManyFailuresError, WrongCredentialsError } from './errors.ts';
import { FailureLimit } from './failure-limit.ts';
import { gatewayPrincipal } from './gateway-claims.ts';
import type { Principal } from './principal.ts';

/** What is known of an API key; `stranger`: never seen here, and nobody was asked. */
export type KeyAnswer =
  | {
      readonly kind: 'valid';
      readonly subject: string;
      readonly scopes: readonly Scope[];
      readonly limits: CallerLimits;
    }
  | { readonly kind: 'invalid' | 'stranger' | 'unknowable' };

/** Where API keys are looked up. Does not reject. */
export interface KeyBook {
  lookUp(key: string, options: { readonly asksForStrangers: boolean }): KeyAnswer | Promise<KeyAnswer>;
}

export interface AuthenticateOptions {
  readonly keys: KeyBook;
  readonly access: AccessSettings;
  readonly clock: Clock;
}

/**
 * Who makes a request. What is shown has to be right, also where nothing would have to be shown.
 * @throws WrongCredentialsError, TooManyFailuresError, KeysUnavailableError, and what the rule's `keyIn` throws
 */
export type Authenticate = (c: Context<HttpEnv>, keyIn: AccessRule['keyIn']) => Promise<Principal>;

/** Every API key begins so; other tokens are the gateway's matter. */
const KEY_PREFIX = 'cslg_';
const RETRY_SECONDS = 2;

export function createAuthenticate({ keys, access, clock }: AuthenticateOptions): Authenticate {
  const { anonymousScopes, trustedProxies } = access;
  const failures = new FailureLimit(clock);

  return async (c, keyIn) => {
    const token = bearerToken(c.req.header('authorization'));
    if (token?.startsWith(KEY_PREFIX)) return byKey(c, token);
    const claimed = gatewayPrincipal(c.env, access);
    if (claimed !== undefined) return claimed;
    if (token !== undefined) return byKey(c, token);
    const key = await keyIn?.(c);
    return key ? byKey(c, key) : { kind: 'anonymous', scopes: anonymousScopes };
  };

  async function byKey(c: Context<HttpEnv>, key: string): Promise<Principal> {
    const attempt = failures.begin(callerAddress(c, trustedProxies));
    const { secondsLeft } = attempt;
    // Right keys that were seen before still serve where others fail; the store is not asked for what may be guesses.
    const answer = await keys.lookUp(key, { asksForStrangers: secondsLeft === undefined });
    switch (answer.kind) {
      case 'valid': {
        attempt.forgive();
        const { subject, scopes, limits } = answer;
        return { kind: 'key', subject, scopes, limits };
      }
      case 'unknowable':
        attempt.forgive();
        throw new KeysUnavailableError('the store of the keys does not answer', { retryAfterSeconds: RETRY_SECONDS });
      case 'invalid':
      case 'stranger':
        if (secondsLeft === undefined) throw new WrongCredentialsError('the key is not valid');
        throw new TooManyFailuresError('too many wrong keys came from this address', {
          retryAfterSeconds: secondsLeft,
        });
    }
  }
}

/** Other schemes are none of ours. */
function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : (/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? undefined);
}
