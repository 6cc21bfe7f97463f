import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStaticFiles } from '../../functions/control/static-files.ts';
import { writeDescription } from '../../infra/openapi/write-description.ts';
import { createTestControl } from '../support/control-app.ts';

describe('what was built to be shown', () => {
  let folder: string;
  const ask = (path: string, headers: Record<string, string> = {}) =>
    createTestControl({ files: createStaticFiles(pathToFileURL(`${folder}/`)) }).app.request(path, { headers });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casalingua-pages-'));
    expect([...(await writeDescription(folder))].sort()).toEqual((await readdir(folder)).sort());
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['/openapi.json', 'application/json', 'openapi.json'],
    ['/docs', 'text/html; charset=utf-8', 'docs.html'],
    ['/docs/style.css', 'text/css; charset=utf-8', 'docs.css'],
  ])('%s is sent as it is, and only when it has changed', async (path, mediaType, file) => {
    const answer = await ask(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(mediaType);
    expect(answer.headers.get('cache-control')).toBe('public, no-cache');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toBe(await readFile(join(folder, file), 'utf8'));

    const etag = answer.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(path, { 'if-none-match': known });
      expect([known, again.status, await again.text(), again.headers.get('etag')]).toEqual([known, 304, '', etag]);
    }
    expect((await ask(path, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('needs no script and nothing from anywhere else, and forbids it', async () => {
    const answer = await ask('/docs');

    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    const page = await answer.text();
    expect(page).not.toMatch(/<script|<style|style=|javascript:| on\w+="/);
    const targets = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !/^(?:#|\/docs|\/openapi\.json)/.test(target))).toEqual([]);
    const ids = new Set([...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id));
    const inside = targets.filter((target) => target.startsWith('#')).map((target) => target.slice(1));
    expect(inside.filter((target) => !ids.has(target))).toEqual([]);
    expect(await (await ask('/docs/style.css')).text()).not.toMatch(/url\(|@import/);
  });

  it('is not there where it was not built', async () => {
    const { app } = createTestControl({ files: createStaticFiles(undefined) });
    expect((await app.request('/docs')).status).toBe(404);
    const empty = createTestControl({ files: createStaticFiles(new URL('nowhere/', pathToFileURL(`${folder}/`))) });
    expect((await empty.app.request('/openapi.json')).status).toBe(404);
  });
});
