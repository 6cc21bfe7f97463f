import type { AccessSettings } from '../../config/access.ts';
import type { LambdaBindings } from '../environment.ts';
import type { Principal } from './principal.ts';

/**
 * Who the gateway's authorizer says that is, from its part of the event, which no caller can write into; undefined: the route has none.
 * A token's scopes are in its claims: those that the event lists beside them may be the route's.
 */
export function gatewayPrincipal(
  bindings: LambdaBindings | undefined,
  { jwtScopes, iamScopes }: Pick<AccessSettings, 'jwtScopes' | 'iamScopes'>,
): Principal | undefined {
  const { jwt, iam } = bindings?.requestContext?.authorizer ?? {};
  if (jwt?.claims) {
    const { sub, client_id: client, scope, scp } = jwt.claims;
    const named = namesIn(scope ?? scp).flatMap((name) => jwtScopes.get(name) ?? []);
    return { kind: 'gateway', subject: textOf(sub ?? client), scopes: [...new Set(named)] };
  }
  if (iam?.userArn) return { kind: 'gateway', subject: iam.userArn, scopes: iamScopes };
  return undefined;
}

/** With spaces between them, and in brackets where the token has an array. */
function namesIn(claim: unknown): readonly string[] {
  return textOf(claim)
    .split(/[\s,[\]]+/)
    .filter((name) => name !== '');
}

function textOf(claim: unknown): string {
  return typeof claim === 'string' ? claim : '';
}
