import axe from 'axe-core';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** What a reader of the dashboard does and sees. */

/** The machine may be busy with other tests. */
export const patience = { timeout: 60_000, interval: 100 };

/** The row of a table whose head contains that. */
export function row(
  page: Page,
  table: 'models' | 'loads' | 'breakers' | 'instances' | 'events',
  head: string,
): Locator {
  return page.locator(`#${table} tbody tr`, { has: page.locator('th', { hasText: head }) });
}

/** By all of its name. */
export function button(page: Page, name: string): Locator {
  return page.getByRole('button', { name, exact: true });
}

/** Of a row, what is under the column's name. */
export function cell(of: Locator, column: string): Locator {
  return of.locator(`td[data-name="${column}"]`);
}

/** As it is seen; nothing where there is none. */
export async function textOf(locator: Locator): Promise<string> {
  const [text = ''] = await locator.allInnerTexts();
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** Enters a key as a person does. */
export async function enterKey(page: Page, key: string): Promise<void> {
  const dialog = page.locator('#key-dialog');
  if (!(await dialog.isVisible())) await page.locator('#key-button').click();
  await page.locator('#key-input').fill(key);
  await button(page, 'Use it').click();
}

const focusedElement = 'document.activeElement';

/** Goes on with the key of tabulators until what has the focus is named so. @returns how often it was pressed */
export async function tabTo(page: Page, name: string): Promise<number> {
  const focused = () =>
    page.evaluate<string>(`${focusedElement}?.getAttribute('aria-label') ?? ${focusedElement}?.textContent`);
  for (let pressed = 1; pressed <= 200; pressed++) {
    await page.keyboard.press('Tab');
    if ((await focused()) === name) return pressed;
  }
  throw new Error(`nothing named ${name} can be reached by keys`);
}

/** What axe finds that is serious or critical, in words. */
export async function seriousIssues(page: Page): Promise<readonly string[]> {
  // Not as an element of the page: its policy would not let it in.
  await page.evaluate(axe.source);
  const results = await page.evaluate<axe.AxeResults>('axe.run(document)');
  expect(results.passes.length).toBeGreaterThan(10);
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
    );
}

/** How much of the page is beyond the right edge; CSS pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
