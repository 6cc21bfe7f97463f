import type { IHttpRouteAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import type { AuthorizerConfig, StageConfig } from '../config.ts';
import type { Access } from './route-access.ts';

/** How a route is guarded; `closed`: it is not to be routed at all. */
export type Guard =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'guarded'; readonly authorizer: IHttpRouteAuthorizer; readonly scopes: readonly string[] };

/** The guard of each kind of route. What only operators may call is closed when nothing can tell who they are. */
export function createGuards(authorization: StageConfig['authorization']): Readonly<Record<Access, Guard>> {
  return {
    anybody: { kind: 'open' },
    callers: guardBy('Callers', authorization.callers) ?? { kind: 'open' },
    operators: guardBy('Operators', authorization.operators) ?? { kind: 'closed' },
  };
}

function guardBy(id: string, config: AuthorizerConfig): Guard | undefined {
  switch (config.kind) {
    case 'none':
      return undefined;
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
