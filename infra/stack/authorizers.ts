import type { IHttpRouteAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import type { AuthorizerConfig, StageConfig } from '../config.ts';
import type { Access } from './route-access.ts';

/** How a route is guarded by the gateway. `keys`: not at all, as the function behind it asks for a key. */
export type Guard =
  | { readonly kind: 'open' }
  | { readonly kind: 'keys' }
  | { readonly kind: 'guarded'; readonly authorizer: IHttpRouteAuthorizer; readonly scopes: readonly string[] };

/** The guard of each kind of route. */
export function createGuards(authorization: StageConfig['authorization']): Readonly<Record<Access, Guard>> {
  return {
    anybody: { kind: 'open' },
    callers: guardBy('Callers', authorization.callers),
    operators: guardBy('Operators', authorization.operators),
  };
}

function guardBy(id: string, config: AuthorizerConfig): Guard {
  switch (config.kind) {
    case 'keys':
      return { kind: 'keys' };
    case 'iam':
      return { kind: 'guarded', authorizer: new HttpIamAuthorizer(), scopes: [] };
    case 'jwt':
      return {
        kind: 'guarded',
        authorizer: new HttpJwtAuthorizer(id, config.issuer, { jwtAudience: [...config.audience] }),
        scopes: config.scopes,
      };
  }
}
