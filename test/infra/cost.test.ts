import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { amazonTranslate, libreTranslate } from '../../infra/cost/alternatives.ts';
import {
  type Deployment,
  instancesAtPeak,
  onDemand,
  provisioned,
  requestMs,
  total,
} from '../../infra/cost/estimate.ts';
import { compute, prices } from '../../infra/cost/prices.ts';
import { inWords, pricesInWords, reportOf } from '../../infra/cost/report.ts';
import { type Shape, shapes } from '../../infra/cost/shapes.ts';
import { measuredSpeed } from '../../infra/cost/speed.ts';

/** A million requests of a thousand characters, all through the month, none of them cold. */
const shape: Shape = {
  name: 'round',
  description: 'round figures',
  charactersPerMonth: 1e9,
  charactersPerRequest: 1000,
  busyHours: 730,
  peakFactor: 1,
  coldShare: 0,
};
/** 2 GB, and a request takes 1001.068 ms, which Lambda rounds up. */
const deployment: Deployment = { architecture: 'arm64', memoryMb: 2048, charactersPerSecond: 1000 };
const task = { cpus: 2, gb: 4 };
const documentation = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'cost.md'), 'utf8');

describe('the cost of a month', () => {
  it('counts each request, rounded up to a whole millisecond, by its GB-seconds', () => {
    expect(requestMs(shape, deployment)).toBe(1002);
    // 1e6 requests · 1.002 s · 2 GB · 0.0000133334
    expect(onDemand(shape, deployment)['compute']).toBeCloseTo(26.72, 2);
    // Lambda's 0.20 and the gateway's 1.00 for a million.
    expect(onDemand(shape, deployment)['requests']).toBeCloseTo(1.2, 6);
  });

  it('counts cold starts where instances start by demand', () => {
    const cold = onDemand({ ...shape, coldShare: 0.1 }, deployment);

    // 1e5 starts · 0.9187 s · 2 GB · 0.0000133334
    expect((cold['compute'] ?? 0) - (onDemand(shape, deployment)['compute'] ?? 0)).toBeCloseTo(2.45, 2);
  });

  it('counts what is kept ready in the busy hours, and its work at the lower price', () => {
    // 0.3805 requests a second take 0.38 instances; 0.7 in use of one.
    expect(instancesAtPeak(shape, deployment)).toBe(1);
    const bill = provisioned(shape, deployment);
    // 730 h · 3600 s · 2 GB · 0.0000033334
    expect(bill['kept ready']).toBeCloseTo(17.52, 2);
    // 1e6 · 1.002 s · 2 GB · 0.0000077778
    expect(bill['compute']).toBeCloseTo(15.59, 2);
  });

  it('keeps as many instances as the peak needs', () => {
    expect(instancesAtPeak({ ...shape, peakFactor: 10 }, deployment)).toBe(6);
    expect(provisioned({ ...shape, peakFactor: 10 }, deployment)['kept ready']).toBeCloseTo(6 * 17.52, 1);
  });

  it('is dearer on x86_64, and grows with memory', () => {
    const on = (changes: Partial<Deployment>) => onDemand(shape, { ...deployment, ...changes })['compute'] ?? 0;

    expect(on({ architecture: 'x86_64' }) / on({})).toBeCloseTo(1.25, 2);
    expect(on({ memoryMb: 4096 }) / on({})).toBeCloseTo(2, 6);
  });

  it('is the measured speed that counts where none is given: more text at once is quicker', () => {
    // 33.27 characters in 7.917 ms, 4.547 ms and 3.476 ms
    expect([30, 300, 10_000].map((characters) => Math.round(measuredSpeed(characters)))).toEqual([4202, 7317, 9571]);
  });

  it('is 15 USD for a million characters with Amazon Translate, whatever the shape', () => {
    for (const one of shapes) expect((total(amazonTranslate(one)) / one.charactersPerMonth) * 1e6).toBeCloseTo(15, 9);
  });

  it('is that of tasks for the peak with LibreTranslate, all month', () => {
    // 380.5 characters a second; 2 vCPU of 100 each, used to 70 %, carry 140: 3 tasks. 730 h · (2 · 0.04048 + 4 · 0.004445)
    expect(libreTranslate(shape, { ...task, charactersPerSecond: 100 })['compute']).toBeCloseTo(3 * 72.08, 1);
  });
});

describe('prices', () => {
  const all = [...Object.values(prices), ...Object.values(compute).flatMap((one) => Object.values(one))];

  it('name the page that they are published on and where they were read', () => {
    expect(all.length).toBeGreaterThan(12);
    for (const { usd, page, readAt } of all) {
      expect(usd).toBeGreaterThan(0);
      expect(page).toMatch(/^https:\/\/aws\.amazon\.com\/.+pricing/);
      expect(readAt).not.toBe('');
    }
  });
});

describe('docs/cost.md', () => {
  const standard: Deployment = { architecture: 'arm64', memoryMb: 4096 };

  it('shows what the calculator prints', () => {
    expect(documentation).toContain(inWords(shapes.map((one) => reportOf(one, standard, task))));
  });

  it('shows every price with its source', () => {
    expect(documentation).toContain(pricesInWords());
  });
});
