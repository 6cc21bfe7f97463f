import type { Context } from 'hono';
import type { Scope } from '../../config/scopes.ts';
import type { HttpEnv } from '../environment.ts';

/** What a part of an app asks of its callers. */
export interface AccessRule {
  /** Exact, or ending in `/*` for everything below it. */
  readonly path: string;
  /** @default - all of them */
  readonly methods?: readonly string[];
  readonly needs: Scope | 'nothing';
  /** Where else the caller may have put an API key, if there is none in a header. @throws BadRequestError */
  readonly keyIn?: (c: Context<HttpEnv>) => Promise<string | undefined>;
}

/** The methods that change nothing. */
export const readingMethods: readonly string[] = ['GET', 'HEAD'];

/** The first rule that is about the request; undefined: nobody may make it, since nobody has said who may. */
export function ruleFor(rules: readonly AccessRule[], method: string, path: string): AccessRule | undefined {
  return rules.find((rule) => (rule.methods?.includes(method) ?? true) && isAbout(rule.path, path));
}

function isAbout(pattern: string, path: string): boolean {
  return pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
