import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createStaticFiles } from '../../functions/control/static-files.ts';
import { createTestControl } from '../support/control-app.ts';
import { inferenceBundle } from '../support/local-run.ts';

/** As it is deployed: what the tests' set-up has built. */
const folder = pathToFileURL(`${join(inferenceBundle, '..', 'control')}/`);
const files = {
  '/dashboard': 'text/html',
  '/dashboard/script.js': 'text/javascript',
  '/dashboard/style.css': 'text/css',
};
/** Half of it is uPlot. A phone on a bad line waits for every byte. */
const MOST_SCRIPT_BYTES = 100_000;

const { app } = createTestControl({ files: createStaticFiles(folder) });
const ask = (path: string, headers = {}) => Promise.resolve(app.request(path, { headers }));

describe('the dashboard’s page', () => {
  it('is served to anybody, and sent again only when it is another', async () => {
    for (const [path, mediaType] of Object.entries(files)) {
      const answer = await ask(path);
      expect(answer.status, path).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': `${mediaType}; charset=utf-8`,
        'cache-control': 'public, no-cache',
        'x-content-type-options': 'nosniff',
      });
      const etag = answer.headers.get('etag') ?? '';
      expect((await ask(path, { 'if-none-match': etag })).status).toBe(304);
    }
    expect((await ask('/dashboard/main.ts')).status).toBe(404);
  });

  it('lets nothing in from elsewhere, nothing be run from strings, and nobody frame it', async () => {
    const { headers } = await ask('/dashboard');
    const policy = headers.get('content-security-policy')?.split('; ') ?? [];
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ]),
    );
    expect(policy.join()).not.toMatch(/unsafe|https?:|\*/);
    expect(headers.get('x-frame-options')).toBe('DENY');
  });

  it('needs nothing but its own script and style, which are small', async () => {
    const page = await (await ask('/dashboard')).text();
    const needed = [...page.matchAll(/(?:src|href)="(?!#|data:)([^"]+)"/g)].map(([, address]) => `/${address}`);
    expect(needed.sort()).toEqual(['/dashboard/script.js', '/dashboard/style.css']);
    expect(page).not.toMatch(/<script>|<style>|\sstyle=|\son[a-z]+=/);
    const script = await (await ask('/dashboard/script.js')).text();
    expect(script.length).toBeLessThan(MOST_SCRIPT_BYTES);
    expect(script).not.toMatch(/innerHTML|insertAdjacentHTML|outerHTML|document\.write|\beval\(|new Function/);
    expect(await (await ask('/dashboard/style.css')).text()).not.toMatch(/url\(|https?:/);
  });
});
