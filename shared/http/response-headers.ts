import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';

/** As LibreTranslate: any page may call the API and read the answer. Keys travel in headers or bodies, never in cookies. */
export const openCors = () => {
  const allow = cors({
    origin: '*',
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['Authorization', 'Content-Type', 'Prefer', 'X-Request-Deadline-Ms', 'X-Request-Id'],
    exposeHeaders: [
      'Authorization',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'X-Fallback-Model',
      'X-Request-Id',
    ],
    maxAge: 20 * 24 * 60 * 60,
  });
  return createMiddleware(async function openCors(c, next) {
    if (c.req.method === 'OPTIONS') return allow(c, next);
    await next();
    // Before there is an answer hono would make one for the headers' sake, and copy them to the real one.
    return allow(c, async () => {});
  });
};

/** What protects the answers of an API that shows no pages; pages of other origins may read them. */
export const securityHeaders = () =>
  secureHeaders({
    crossOriginResourcePolicy: 'cross-origin',
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    xFrameOptions: 'DENY',
  });
