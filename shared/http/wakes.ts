import { createMiddleware } from 'hono/factory';
import type { HttpEnv } from './environment.ts';

/** What looks at the clock when a request begins. */
export interface Sleeper {
  wake(): void;
}

/** No timer runs while an instance is frozen: what is due by the clock is done when a request comes. */
export const wakes = (...sleepers: readonly Sleeper[]) =>
  createMiddleware<HttpEnv>(async function wakes(_c, next) {
    for (const sleeper of sleepers) sleeper.wake();
    await next();
  });
