import { Hono } from 'hono';
import type { HttpEnv } from '../../../shared/http/environment.ts';
import { type StaticFiles, serveFile } from '../static-files.ts';

/** Nothing from anywhere else, no script or style in the page itself, no markup made of strings, and in no other page's frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const page = { name: 'dashboard.html', mediaType: 'text/html; charset=utf-8', policy } as const;
const script = { name: 'dashboard.js', mediaType: 'text/javascript; charset=utf-8' } as const;
const style = { name: 'dashboard.css', mediaType: 'text/css; charset=utf-8' } as const;

/** The dashboard under `/dashboard`: files that hold no data, so anybody may have them. What it shows it asks the API for, with a key. */
export function dashboardRoutes(files: StaticFiles) {
  return new Hono<HttpEnv>()
    .get('/', (c) => serveFile(c, files, page))
    .get('/script.js', (c) => serveFile(c, files, script))
    .get('/style.css', (c) => serveFile(c, files, style));
}
