import { createMiddleware } from 'hono/factory';
import type { HttpEnv } from '../environment.ts';
import { type AccessRule, ruleFor } from './access-rules.ts';
import type { Authenticate } from './authenticate.ts';
import { ForbiddenError, MissingCredentialsError } from './errors.ts';
import { mayDo, type Principal } from './principal.ts';

const nobody: Principal = { kind: 'anonymous', scopes: [] };

/**
 * Lets a request on to its route only if its caller may do what the route's rule asks for, and tells the route who that is. A route
 * that no rule is about cannot be reached at all.
 */
export const authorize = (rules: readonly AccessRule[], authenticate: Authenticate) =>
  createMiddleware<HttpEnv>(async function authorize(c, next) {
    const rule = ruleFor(rules, c.req.method, c.req.path);
    if (rule === undefined) return c.notFound();
    const { needs, keyIn } = rule;
    const principal = needs === 'nothing' ? nobody : await authenticate(c, keyIn);
    c.set('principal', principal);
    if (needs !== 'nothing' && !mayDo(principal, needs)) {
      throw principal.kind === 'anonymous'
        ? new MissingCredentialsError('a key is needed: Authorization: Bearer cslg_…')
        : new ForbiddenError(`who calls may not do this: it needs ${needs}`);
    }
    return next();
  });
