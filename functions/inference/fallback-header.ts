import type { Context } from 'hono';
import type { HttpEnv } from '../../shared/http/environment.ts';
import type { Serving } from './fallback-run.ts';

/** Names, in the answer that comes, the models that stood in for others; no header where there were none. */
export function tellFallbacks(c: Context<HttpEnv>, servings: readonly (Serving | null)[]): void {
  const models = new Set<string>();
  for (const serving of servings) if (serving !== null && serving.model !== serving.primary) models.add(serving.model);
  if (models.size > 0) c.header('X-Fallback-Model', [...models].join(', '));
}
