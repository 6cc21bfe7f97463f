import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlAccess } from '../../functions/control/access.ts';
import { inferenceAccess } from '../../functions/inference/access.ts';
import { matchRoute, routes } from '../../infra/routes.ts';
import { accessTo } from '../../infra/stack/route-access.ts';
import { allScopes, grants, type Scope } from '../../shared/config/scopes.ts';
import { createHttpApp } from '../../shared/http/app.ts';
import { type AccessRule, ruleFor } from '../../shared/http/auth/access-rules.ts';
import type { Principal } from '../../shared/http/auth/principal.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { createTestControl } from '../support/control-app.ts';
import { createTestApp } from '../support/inference-app.ts';

/** What each route is to ask for; a list of its own, not read from the apps. */
function neededFor(method: string, path: string): Scope | 'nothing' {
  const open = /^\/(languages|health|liveness|readiness|openapi\.json|docs(\/.*)?|dashboard(\/.*)?)$/;
  if (open.test(path)) return 'nothing';
  if (/^\/(translate|detect|pipeline\/.+)$/.test(path)) return 'infer';
  if (path.startsWith('/admin/') && method !== 'GET') return 'admin';
  return 'read';
}

let caller: Principal;
const authenticate = async () => caller;
const apps = [
  { app: createTestApp({ authenticate }).app, rules: inferenceAccess },
  { app: createTestControl({ authenticate }).app, rules: controlAccess },
];
/** Every handler of both apps, with something in the place of each parameter. */
const handlers = apps.flatMap(({ app, rules }) =>
  app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => ({
      app,
      rules,
      method,
      path: path.replaceAll(/:\w+(\{.*?\})?/g, 'x').replace('*', 'x'),
    })),
);
const kinds: readonly ((scopes: readonly Scope[]) => Principal)[] = [
  (scopes) => ({ kind: 'key', subject: 'x', scopes, limits: {} }),
  (scopes) => ({ kind: 'gateway', subject: 'x', scopes }),
  (scopes) => ({ kind: 'anonymous', scopes }),
];
const principal = fc
  .tuple(fc.constantFrom(...kinds), fc.subarray([...allScopes]))
  .map(([make, scopes]) => make(scopes));

async function isRefused(app: (typeof apps)[number]['app'], method: string, path: string): Promise<boolean> {
  const response = await app.request(path, { method, ...(method === 'GET' ? {} : { body: '' }) });
  return /"code":"(UNAUTHENTICATED|FORBIDDEN)"/.test(await response.text());
}

describe('every route of both apps', () => {
  it('is named by a rule, which asks for what it should', () => {
    expect(handlers.length).toBeGreaterThan(12);
    for (const { method, path, rules } of handlers) {
      expect(ruleFor(rules, method, path)?.needs, `${method} ${path}`).toBe(neededFor(method, path));
    }
  });

  it('is reached by those who may, and by nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(principal, fc.constantFrom(...handlers), async (who, { app, method, path }) => {
        caller = who;
        const needs = neededFor(method, path);
        expect(await isRefused(app, method, path)).toBe(needs !== 'nothing' && !grants(who.scopes, needs));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a route that no rule is about', () => {
  const log = createJsonLog(() => {}, { now: () => 0 });
  const paths = fc.stringMatching(/^(\/[a-z.%]{1,8}){1,3}\/?$/);
  const rules: readonly AccessRule[] = [...controlAccess, ...inferenceAccess];

  it('cannot be reached, whoever calls', async () => {
    await fc.assert(
      fc.asyncProperty(paths, fc.constantFrom('GET', 'POST', 'DELETE'), async (path, method) => {
        fc.pre(ruleFor(rules, method, path) === undefined);
        caller = { kind: 'key', subject: 'x', scopes: allScopes, limits: {} };
        let isReached = false;
        const app = createHttpApp({ log, clock: { now: () => 0 }, access: rules, authenticate }).all('*', (c) => {
          isReached = true;
          return c.text('reached');
        });
        const { status } = await app.request(path, { method });
        // The path may have become another, which a rule is about, on its way into the app.
        const { pathname } = new URL(path, 'http://localhost');
        if (ruleFor(rules, method, decoded(pathname)) === undefined) {
          expect({ isReached, status }).toEqual({ isReached: false, status: 404 });
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('the gateway', () => {
  it.each(routes.map(({ path }) => [path]))('and the function behind it agree on who may call %s', (path) => {
    const example = path.replace('{proxy+}', 'x');
    const rules = matchRoute(routes, example)?.function === 'inference' ? inferenceAccess : controlAccess;
    const needs = ruleFor(rules, 'POST', example)?.needs;
    const access = accessTo(path);
    // A stage whose gateway knows its callers shows the languages to those alone.
    const isOpen = needs === 'nothing' && path !== '/languages';
    expect(isOpen).toBe(access === 'anybody');
    if (access === 'operators') expect(['read', 'admin']).toContain(needs);
    else if (access === 'callers') expect(['infer', 'read', 'nothing']).toContain(needs);
  });
});

function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
