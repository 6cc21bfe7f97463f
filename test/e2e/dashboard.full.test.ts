import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, chromiumPath, startBrowser, type WatchedPage } from '../support/browser.ts';
import {
  button,
  cell,
  enterKey,
  overflow,
  patience,
  row,
  seriousIssues,
  tabTo,
  textOf,
} from '../support/dashboard-page.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { translate } from '../support/local-run.ts';
import { type SwitchedRun, startSwitchedRun } from '../support/local-switched-run.ts';

/**
 * The dashboard in a real Chromium, over the deployed bundles, real models and two instances that freeze between requests. With
 * CASALINGUA_SCREENSHOTS the pictures of docs/dashboard.md are taken.
 */

if (chromiumPath === undefined) {
  console.warn('skipped: there is no Chromium to look at the dashboard with; CHROMIUM_PATH names one');
}

const MODEL = 'translate-en-es';
const BREAKER = `translate ${MODEL}@1.0.0`;
/** Of one connection: a model comes in some nine seconds. */
const BYTES_PER_SECOND = 800_000;
const texts = Array.from({ length: 10 }, (_, n) => `The house has ${n + 2} rooms and a garden.`);
const wide = { viewport: { width: 1280, height: 900 } };
/** CSS pixels from the top: what is most looked at. */
const PICTURE_HEIGHT = 1_150;
const narrow = { viewport: { width: 320, height: 700 } };
const images = join(import.meta.dirname, '..', '..', 'docs', 'images');

describe.skipIf(chromiumPath === undefined)('the dashboard', () => {
  let run: SwitchedRun;
  let proxy: FaultProxy;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;
  let key: string;
  const users = { areThere: false, goHome: () => {} };

  beforeAll(async () => {
    proxy = await startFaultProxy(() => run.stack.s3Endpoint);
    run = await startSwitchedRun({
      instances: { inference: 2 },
      environment: {
        AWS_ENDPOINT_URL_S3: proxy.endpoint,
        CASALINGUA_DOWNLOAD_CONCURRENCY: '2',
        CASALINGUA_DOWNLOAD_PART_BYTES: '2097152',
        CASALINGUA_DOWNLOAD_STALL_MS: '60000',
        CASALINGUA_FLEET_TTL_MS: '1000',
        CASALINGUA_CIRCUIT_BREAKER_RESET_TIMEOUT: '8',
        CASALINGUA_CIRCUIT_BREAKER_RAMP_SECONDS: '3',
      },
    });
    key = run.stack.apiKey ?? '';
    browser = await startBrowser(chromiumPath ?? '');
    watched = await browser.open({ ...wide, colorScheme: 'light' });
    page = watched.page;
    await page.goto(`${run.stack.url}/dashboard`);
  });
  afterAll(async () => {
    users.areThere = false;
    await browser?.close();
    await run?.close();
    await proxy?.close();
  });

  /** From now on there are two requests at a time, again and again, long enough for both instances to have one. */
  function letUsersCome(): void {
    users.areThere = true;
    void (async () => {
      while (users.areThere) {
        const requests = [1, 2].map(() => translate(run.stack, 'en', { q: texts }));
        await Promise.allSettled([...requests, delay(400)]);
      }
    })();
  }

  const stateOf = (model: string) => textOf(cell(row(page, 'models', model), 'State'));
  const breaker = (column: string) => textOf(cell(row(page, 'breakers', BREAKER), column));
  const instanceStates = async () => {
    const rows = await page.locator('#instances tbody tr').all();
    return Promise.all(
      rows.map(async (one) => [await textOf(one.locator('th .name')), await textOf(cell(one, 'State'))]),
    );
  };

  it('shows the fleet to whoever sits at the machine, and lets nobody act without a key', async () => {
    await expect.poll(() => textOf(page.locator('#status')), patience).toBe('HEALTHY');
    expect(await stateOf(MODEL)).toBe('UNLOADED');
    await expect.poll(() => textOf(page.locator('#act-hint')), patience).toMatch(/needs a key with the scope admin/);
    const load = button(page, `Load ${MODEL}`);
    expect(await load.getAttribute('aria-disabled')).toBe('true');
    // It can be reached, so that it can say why.
    await load.click({ force: true });
    expect(await page.locator('#action-dialog').isVisible()).toBe(false);
    expect(await textOf(page.locator('#act-hint'))).toMatch(/^Load cannot be done: this needs a key/);

    await enterKey(page, key);
    await expect.poll(() => textOf(page.locator('#key-button')), patience).toBe('local: may act');
    expect(await load.getAttribute('aria-disabled')).toBeNull();
    // Nowhere but in this tab.
    expect(await page.evaluate('[localStorage.length, document.cookie, sessionStorage.length]')).toEqual([0, '', 1]);
  });

  it('loads a model by a click, and shows how far it is, and READY', async () => {
    proxy.faults.bytesPerSecond = BYTES_PER_SECOND;
    await button(page, `Load ${MODEL}`).click();
    await page.locator('#action-confirm').click();
    await expect.poll(() => textOf(page.locator('#action-answer')), patience).toMatch(/^Accepted as wish 1\./);

    const bar = row(page, 'loads', MODEL).first().locator('progress');
    await expect
      .poll(async () => ((await bar.count()) === 0 ? 0 : Number(await bar.getAttribute('value'))), patience)
      .toBeGreaterThan(0.05);
    expect(await textOf(row(page, 'loads', MODEL).first())).toMatch(/DOWNLOADING \d+ %, [\d.]+ of [\d.]+ MB/);
    expect(
      await cell(row(page, 'models', MODEL), 'State')
        .locator('progress')
        .isVisible(),
    ).toBe(true);
    await expect.poll(() => textOf(page.locator('#action-answer')), patience).toMatch(/Now DOWNLOADING on 1\.$/);

    delete proxy.faults.bytesPerSecond;
    await expect.poll(() => stateOf(MODEL), patience).toBe('READY');
    await expect
      .poll(() => textOf(page.locator('#action-answer')), patience)
      .toMatch(/1 of 1 instances have taken it up/);
    await expect.poll(() => textOf(page.locator('#events tbody')), patience).toMatch(/READY from WARMING after/);
    await button(page, 'Close').click();
    await expect.poll(() => page.locator('#action-dialog').isVisible()).toBe(false);
  });

  it('can be used by keys alone, and leaves the focus where it is', async () => {
    // Instances that are frozen say nothing.
    letUsersCome();
    await page.locator('#content').focus();
    await tabTo(page, 'Pin language-detection');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#action-dialog').isVisible()).toBe(true);
    // In the dialog the first field has the focus: half an hour.
    await page.keyboard.press('ArrowDown');
    await tabTo(page, 'Pin');
    await page.keyboard.press('Enter');
    await expect.poll(() => textOf(page.locator('#action-answer')), patience).toMatch(/^Accepted as wish 1\./);
    await page.keyboard.press('Escape');

    const focused = () => page.evaluate("document.activeElement?.getAttribute('aria-label')");
    await expect.poll(focused, patience).toBe('Unpin language-detection');
    await expect
      .poll(() => textOf(cell(row(page, 'models', 'language-detection'), 'Wish')), patience)
      .toMatch(/^pinned by local until \d\d:\d\d:\d\d, taken up by 2 of 2$/);
    expect(await focused()).toBe('Unpin language-detection');
  });

  it('shows the problem when the service refuses, with the number of the request', async () => {
    const other = await browser.open(wide);
    await other.page.goto(`${run.stack.url}/dashboard`);
    await enterKey(other.page, key);
    await expect.poll(() => textOf(other.page.locator('#key-button')), patience).toBe('local: may act');
    await button(other.page, `Unpin language-detection`).click();
    // Meanwhile somebody else does the same.
    const unpin = await fetch(`${run.stack.url}/admin/models/language-detection/unpin`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
    });
    expect(unpin.status).toBe(202);
    await other.page.locator('#action-confirm').click();
    await expect
      .poll(() => textOf(other.page.locator('#action-answer')), patience)
      .toMatch(/^The model is not pinned: .+ HTTP 409, NOT_PINNED, request [0-9a-f-]{36}$/);
    await other.context.close();
  });

  it('sees a breaker open, with the time to its next probe, and heal', async () => {
    await expect
      .poll(async () => (await instanceStates()).map(([, state]) => state), patience)
      .toEqual(['LIVE', 'LIVE']);
    await expect.poll(() => textOf(page.locator('#tiles')), patience).toMatch(/Requests [\d.]+ \/s/);

    // A model that still warms up would fail to load.
    await expect.poll(() => textOf(cell(row(page, 'models', MODEL), 'Instances')), patience).toBe('READY on 2');
    await run.bundle.fail();
    await expect.poll(() => breaker('State'), patience).toBe('OPEN');
    await expect.poll(() => textOf(page.locator('#status')), patience).toBe('DEGRADED');
    await expect.poll(() => breaker('Next probe'), { ...patience, interval: 20 }).toMatch(/^in \d+ s$/);
    expect(await textOf(page.locator('#reasons'))).toContain(`the circuit breaker of ${BREAKER} is OPEN`);
    await expect.poll(() => textOf(page.locator('#news'))).not.toBe('');

    await run.bundle.heal();
    await expect.poll(() => breaker('State'), patience).toBe('CLOSED');
    await expect.poll(() => textOf(page.locator('#status')), patience).toBe('HEALTHY');
  });

  it('sees an instance die, and marks it as stale in words', async () => {
    const before = await instanceStates();
    expect(before.map(([, state]) => state)).toEqual(['LIVE', 'LIVE']);
    const victim = run.stack.instances().find(({ id }) => id.startsWith('inference'));
    process.kill(victim?.pid ?? 0, 'SIGKILL');

    const stale = async () => (await instanceStates()).filter(([, state]) => state === 'STALE');
    await expect.poll(stale, { ...patience, timeout: 120_000 }).toHaveLength(1);
    const [[id = ''] = []] = await stale();
    expect(before.map(([one]) => one)).toContain(id);
    expect(await textOf(cell(row(page, 'instances', id), 'Last word'))).toMatch(/^silent for 1 min: idle, or gone$/);
    // The other one lives, and so does the one that came in the place of the dead.
    expect((await instanceStates()).filter(([, state]) => state === 'LIVE').length).toBeGreaterThanOrEqual(1);
  });

  it('has no serious accessibility issue: light, dark, narrow, with a dialog open; nothing is wider than the screen', async () => {
    const views = [
      { name: 'light', ...wide, colorScheme: 'light' },
      { name: 'dark', ...wide, colorScheme: 'dark' },
      { name: 'narrow', ...narrow, colorScheme: 'light' },
    ] as const;
    // Something of everything: a load, an instance that is stale, a breaker that is forced.
    proxy.faults.bytesPerSecond = BYTES_PER_SECOND / 12;
    const post = (path: string, body: object = {}) =>
      fetch(`${run.stack.url}/admin/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(body),
      });
    expect((await post('models/translate-es-en/load', { for: '2h' })).status).toBe(202);
    await post(`breakers/${encodeURIComponent('load translate-es-en@1.0.0')}`, {
      state: 'closed',
      why: 'a test',
      for: '1h',
    });
    for (const { name, ...view } of views) {
      const { page: seen, context } = await browser.open({ ...view, reducedMotion: 'reduce' });
      await seen.addInitScript((value) => sessionStorage.setItem('casalingua.key', value), key);
      await seen.goto(`${run.stack.url}/dashboard`);
      await expect.poll(() => seen.locator('#loads tbody tr').count(), patience).toBeGreaterThan(0);
      await expect.poll(() => textOf(seen.locator('#key-button')), patience).toBe('local: may act');
      expect(await seriousIssues(seen), name).toEqual([]);
      expect(await overflow(seen), name).toBe(0);
      await picture(seen, name);
      await button(seen, `Force open ${BREAKER}`).click();
      await expect.poll(() => seen.locator('#action-dialog').isVisible()).toBe(true);
      expect(await seriousIssues(seen), `${name}, dialog`).toEqual([]);
      expect(await overflow(seen), name).toBe(0);
      await context.close();
    }
    delete proxy.faults.bytesPerSecond;
  });

  it('had nothing to complain of all the time, and asked nobody else for anything', () => {
    // Chromium itself notes a store that was too slow on a busy machine; the page shows it, and reads again.
    const own = watched.complaints.filter((complaint) => !complaint.includes('responded with a status of 503'));
    expect(own).toEqual([]);
    const hosts = new Set(watched.requests.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).origin));
    expect(hosts).toEqual(new Set([run.stack.url]));
  });

  it('marks old figures as such when the service is out of reach, and recovers by itself', async () => {
    const { page: seen, context } = await browser.open(wide);
    await seen.goto(`${run.stack.url}/dashboard`);
    await expect.poll(() => textOf(seen.locator('#freshness')), patience).toMatch(/^read \d+ s ago$/);
    await context.setOffline(true);
    await expect
      .poll(() => textOf(seen.locator('#alarm')), patience)
      .toMatch(
        /^These figures are \d+ s old The service cannot be reached\. (Next try in \d+ s|Trying now)\. Try now$/,
      );
    expect(await seen.locator('body').getAttribute('class')).toBe('is-stale');
    await context.setOffline(false);
    await expect.poll(() => seen.locator('#alarm').isVisible(), patience).toBe(false);
    expect(await textOf(seen.locator('#news'))).toBe('The figures are those of now again.');
    await context.close();
  });

  it('asks for a key where its key is nobody’s, keeps no wrong one, and forgets on demand', async () => {
    const { page: seen, context } = await browser.open(wide);
    await seen.addInitScript(() => sessionStorage.setItem('casalingua.key', 'cslg_nobodys'));
    await seen.goto(`${run.stack.url}/dashboard`);
    await expect.poll(() => textOf(seen.locator('#alarm')), patience).toMatch(/^A key is needed .+ Enter a key$/);
    await seen.locator('#alarm-button').click();
    await enterKey(seen, 'cslg_wrong');
    await expect.poll(() => textOf(seen.locator('#key-answer')), patience).toBe('the key is not valid.');
    expect(await seen.evaluate(() => sessionStorage.getItem('casalingua.key'))).toBe('cslg_nobodys');
    await enterKey(seen, key);
    await expect.poll(() => textOf(seen.locator('#status')), patience).not.toBe('UNKNOWN');
    expect(await seen.locator('#alarm').isVisible()).toBe(false);
    await seen.locator('#key-button').click();
    await button(seen, 'Forget the key').click();
    await expect.poll(() => textOf(seen.locator('#key-button')), patience).toBe('Key: none, may look');
    expect(await seen.evaluate(() => sessionStorage.length)).toBe(0);
    await context.close();
  });
});

/** For the documentation, when somebody wants new ones: a run of the tests changes no file. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env['CASALINGUA_SCREENSHOTS'] === undefined) return;
  await mkdir(images, { recursive: true });
  // Time for the charts to have something to show.
  await delay(20_000);
  const { width = 0 } = page.viewportSize() ?? {};
  const clip = { x: 0, y: 0, width, height: PICTURE_HEIGHT };
  await page.screenshot({ path: join(images, `dashboard-${name}.png`), fullPage: true, clip });
}
