import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stacked, tablePlaces } from '../../functions/control/dashboard/page/history/chart-data.ts';
import { chartInWords, chartTable } from '../../functions/control/dashboard/page/history/chart-words.ts';
import {
  memoryChart,
  memorySampleOf,
  memorySamplesOf,
} from '../../functions/control/dashboard/page/history/memory-history.ts';
import { joined, withSample } from '../../functions/control/dashboard/page/history/samples.ts';
import { TrafficMeter, trafficChart } from '../../functions/control/dashboard/page/history/traffic-history.ts';
import { documentsNow, healthWith, instanceWith, secondsAgo } from '../support/dashboard-documents.ts';

describe('samples', () => {
  it('stay in the order of time, bounded however long the page is open, the last quarter of an hour complete', () => {
    const gaps = fc.array(fc.integer({ min: -5_000, max: 120_000 }), { maxLength: 300 });
    fc.assert(
      fc.property(gaps, (steps) => {
        let at = documentsNow;
        let samples: readonly { readonly at: number }[] = [];
        const taken: number[] = [];
        for (const step of steps) {
          at += step;
          if (at > (taken.at(-1) ?? 0)) taken.push(at);
          samples = withSample(samples, { at });
        }
        const kept = samples.map((sample) => sample.at);
        const last = taken.at(-1) ?? 0;
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
        expect(kept.filter((one) => last - one <= 900_000)).toEqual(taken.filter((one) => last - one <= 900_000));
        expect(kept.every((one) => last - one <= 6 * 3_600_000)).toBe(true);
      }),
      { numRuns: 50 },
    );
    let day: readonly { readonly at: number }[] = [];
    for (let at = 0; at < 8 * 3_600_000; at += 5_000) day = withSample(day, { at });
    expect(day.length).toBeLessThan(1_000);
    expect(day[0]?.at).toBeGreaterThanOrEqual(2 * 3_600_000 - 5_000);
  });

  it('of before the page was opened come before its own', () => {
    expect(joined([{ at: 300 }, { at: 100 }, { at: 500 }], [{ at: 400 }, { at: 600 }])).toEqual(
      [100, 300, 400, 600].map((at) => ({ at })),
    );
  });
});

describe('memory over time', () => {
  const held = (name: string, mb: number, version = '1') => ({ name, version, state: 'READY', memory_mb: mb });
  const health = healthWith({
    instances: [
      instanceWith({ id: 'a', models: [held('x', 100), held('y', 50), held('unloaded', 0)] }),
      instanceWith({
        id: 'b',
        models: [held('x', 120)],
        memory: { limit_mb: 1, budget_mb: null, used_mb: null, reserved_mb: 1 },
      }),
    ],
  });
  const now = memorySampleOf(health, documentsNow);

  it('is summed up over the fleet, or one instance’s, with the budget and the process beside it', () => {
    expect(memoryChart([now], undefined, 0)).toEqual({
      times: [documentsNow / 1_000],
      layers: [
        { name: 'x@1', values: [220] },
        { name: 'y@1', values: [50] },
      ],
      lines: [
        { name: 'budget for models', values: [3_000] },
        { name: 'whole process', values: [500] },
      ],
    });
    expect(memoryChart([now], 'b', 0).lines[0]?.values).toEqual([null]);
    expect(memoryChart([now], 'gone', 0).times).toHaveLength(1);
    expect(memoryChart([now], undefined, documentsNow + 1).times).toEqual([]);
  });

  it('goes on from what the monitor wrote down', () => {
    const recorded = { rss_mb: 400, budget_mb: 0, models: [{ model: 'x@1', memory_mb: 90 }] };
    const past = memorySamplesOf({
      snapshots: [{ ...recorded, taken_at: secondsAgo(300), instances: [{ ...recorded, id: 'a' }] }],
    });
    const chart = memoryChart(joined(past, [now]), undefined, 0);
    expect(chart.layers[0]).toEqual({ name: 'x@1', values: [90, 220] });
    // 0 is what could not be read.
    expect(chart.lines[0]?.values).toEqual([null, 3_000]);
    expect(memoryChart(past, 'a', 0).layers[0]?.values).toEqual([90]);
    const unreadable = { snapshots: [{ ...recorded, rss_mb: 0, taken_at: secondsAgo(300), instances: [] }] };
    expect(memoryChart(memorySamplesOf(unreadable), undefined, 0).lines[1]?.values).toEqual([null]);
  });

  it('keeps to layers that can be told apart', () => {
    const models = Array.from({ length: 12 }, (_, n) => held(`m${n}`, n));
    const { layers } = memoryChart(
      [memorySampleOf(healthWith({ instances: [instanceWith({ models })] }), 1)],
      undefined,
      0,
    );
    expect(layers).toHaveLength(8);
    expect(layers.at(-1)).toEqual({ name: 'other models', values: [0 + 1 + 2 + 3 + 4] });
    expect(stacked(layers).at(-1)?.values).toEqual([66]);
  });
});

describe('traffic over time', () => {
  const counts = (requests: number, failures = 0, shed = 0) => ({ requests, failures, shed });
  const at = (seconds: number, requests: number, more = {}) =>
    instanceWith({ seen_at: secondsAgo(-seconds), traffic: counts(requests), ...more });
  const readAll = (meter: TrafficMeter, ...instances: ReturnType<typeof instanceWith>[]) =>
    meter.read(healthWith({ instances }), documentsNow);

  it('adds up to what the instances have counted, however they tell it', () => {
    const words = fc.array(fc.record({ seconds: fc.integer({ min: 1, max: 40 }), more: fc.nat(1_000) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(words, (told) => {
        const meter = new TrafficMeter();
        let [seconds, total, sum] = [0, 0, 0];
        readAll(meter, at(0, 0));
        for (const word of told) {
          seconds += word.seconds;
          total += word.more;
          sum += (readAll(meter, at(seconds, total)).requestsPerSecond ?? Number.NaN) * word.seconds;
          // The same word again is no news.
          readAll(meter, at(seconds, total));
        }
        expect(sum).toBeCloseTo(total, 3);
      }),
      { numRuns: 50 },
    );
  });

  it('is not known before an instance has told twice, unless it began under our eyes', () => {
    const meter = new TrafficMeter();
    expect(readAll(meter, at(0, 1_000)).requestsPerSecond).toBeUndefined();
    expect(readAll(meter, at(10, 1_050)).requestsPerSecond).toBe(5);
    const young = at(12, 20, { id: 'b', started_at: secondsAgo(-2) });
    expect(readAll(meter, at(10, 1_050), young).requestsPerSecond).toBe(7);
  });

  it('is nothing of who is frozen or gone, nor of who counts from the beginning again, nor between words at once', () => {
    const meter = new TrafficMeter();
    readAll(meter, at(0, 0));
    readAll(meter, at(10, 100));
    expect(readAll(meter, at(10.5, 900)).requestsPerSecond).toBe(10);
    expect(readAll(meter, at(10, 100, { stale: true })).requestsPerSecond).toBe(0);
    expect(readAll(meter, at(20, 5)).requestsPerSecond).toBeUndefined();
    expect(readAll(meter).requestsPerSecond).toBe(0);
  });

  it('has what was refused and failed by the minute, and the gate’s times', () => {
    const meter = new TrafficMeter();
    readAll(meter, at(0, 0));
    const admission = { in_flight: 1, waiting: 0, queue_delay_ms: 4, service_ms: { p50: 7, p90: null } };
    const instances = [at(60, 100, { traffic: counts(100, 2, 3) })];
    const sample = meter.read(healthWith({ instances, admission }), documentsNow);
    expect(sample).toMatchObject({ failuresPerMinute: 2, shedPerMinute: 3, p50Ms: 7, queueDelayMs: 4 });
    // Counts that began anew without being fewer: nothing was taken back.
    const fewer = [at(120, 200, { traffic: counts(200, 1, 0) })];
    const after = meter.read(healthWith({ instances: fewer }), documentsNow);
    expect(after).toMatchObject({ failuresPerMinute: 0, shedPerMinute: 0 });
    expect(
      trafficChart(
        [sample],
        [
          ['p90Ms', 'p90'],
          ['p50Ms', 'p50'],
        ],
        0,
      ).lines,
    ).toEqual([
      { name: 'p90', values: [null] },
      { name: 'p50', values: [7] },
    ]);
  });
});

describe('a chart for those who do not see it', () => {
  const data = { times: [100, 200, 300], layers: [], lines: [{ name: 'requests', values: [1, null, 3] }] };

  it('is a sentence, and a table with the newest first', () => {
    expect(chartInWords('Throughput', data, String)).toBe('Throughput. Now: requests 3.');
    expect(chartInWords('Throughput', { times: [], layers: [], lines: [] }, String)).toBe(
      'Throughput. Nothing is known yet.',
    );
    const { head, rows } = chartTable(data, String, 300_000);
    expect(head).toEqual(['Time', 'requests']);
    expect(rows.map(([, value]) => value)).toEqual(['3', '–', '1']);
  });

  it('is no longer than somebody reads', () => {
    expect(tablePlaces(3, 10)).toEqual([2, 1, 0]);
    expect(tablePlaces(91, 10)).toEqual([90, 80, 70, 60, 50, 40, 30, 20, 10, 0]);
  });
});
