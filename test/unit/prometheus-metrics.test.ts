import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFleetMetricsPage } from '../../functions/control/metrics-page.ts';
import {
  catalogue,
  cloudWatchName,
  type MetricDefinition,
  type MetricName,
  prometheusName,
} from '../../shared/observability/metric-catalogue.ts';
import { PrometheusMetrics } from '../../shared/observability/prometheus-metrics.ts';
import { fleetOf, snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';

const names = Object.keys(catalogue) as MetricName[];

/** The samples of an answer, without what stands around them. */
function samples(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('metrics for Prometheus', () => {
  it('are all that was measured since the start', async () => {
    const metrics = new PrometheusMetrics();
    metrics.count('modelLoads', { model: 'a@1', outcome: 'ready' });
    metrics.count('modelLoads', { model: 'a@1', outcome: 'ready' }, 2);
    metrics.countTo('admitted', {}, 5);
    metrics.countTo('admitted', {}, 7);
    metrics.observe('requestSeconds', { route: '/translate', status: '2xx' }, 0.3);
    metrics.flush();

    const text = await metrics.text();

    expect(text).toContain('# TYPE casalingua_model_loads_total counter');
    expect(samples(text)).toEqual(
      expect.arrayContaining([
        'casalingua_model_loads_total{model="a@1",outcome="ready"} 3',
        'casalingua_admitted_total 7',
        'casalingua_request_seconds_bucket{le="0.25",route="/translate",status="2xx"} 0',
        'casalingua_request_seconds_bucket{le="0.5",route="/translate",status="2xx"} 1',
        'casalingua_request_seconds_count{route="/translate",status="2xx"} 1',
      ]),
    );
  });

  it('have readings of the moment at which they are read; of a model that is gone there is none', async () => {
    const metrics = new PrometheusMetrics();
    let models = ['a@1', 'b@1'];
    metrics.onSample(() => {
      for (const model of models) metrics.gauge('modelMemoryBytes', { model }, models.length);
    });
    metrics.gauge('fleetInstances', {}, 3);
    expect(samples(await metrics.text())).toHaveLength(3);

    models = ['b@1'];

    expect(samples(await metrics.text())).toEqual([
      'casalingua_fleet_instances 3',
      'casalingua_model_memory_bytes{model="b@1"} 1',
    ]);
  });

  it('of a fleet are what the instances tell of themselves, and what they hold', async () => {
    const traffic = {
      requests: 10,
      failures: 1,
      shed: 2,
      inFlight: 1,
      queueDelayMs: 0,
      serviceMs: { p50: 20, p90: 250 },
      tokens: 99,
      loads: 3,
      evictions: 1,
    };
    const telling = snapshotOf({ id: 'a', traffic, models: [modelStatus({ leases: 1 })], cpuPercent: 42.4 });
    const { instances, reasons } = fleetOf(telling, snapshotOf({ id: 'b', cpuPercent: 42 }));
    const fleet = { instances: instances.map((each, n) => ({ ...each, stale: n === 1 })), reasons };

    const { mediaType, text } = await createFleetMetricsPage(async () => fleet)();

    expect(mediaType).toMatch(/^text\/plain; version=0\.0\.4/);
    const told = samples(text);
    expect(told).toEqual(
      expect.arrayContaining([
        'casalingua_fleet_instances 2',
        'casalingua_instance_up{instance="a"} 1',
        'casalingua_instance_up{instance="b"} 0',
        'casalingua_instance_cpu_percent{instance="a"} 42',
        'casalingua_instance_cpu_percent{instance="b"} 0',
        'casalingua_instance_requests_total{instance="a"} 10',
        'casalingua_instance_tokens_total{instance="a"} 99',
        'casalingua_instance_service_seconds{instance="a",quantile="0.9"} 0.25',
        'casalingua_instance_model_state{instance="a",model="translate-en-es@1",state="READY"} 1',
        'casalingua_instance_model_leases{instance="a",model="translate-en-es@1"} 1',
      ]),
    );
    expect(told.filter((line) => line.startsWith('casalingua_resident_bytes '))).toHaveLength(1);
    expect(told.filter((line) => line.includes('_requests_total{instance="b"'))).toEqual([]);
  });
});

describe('the catalogue of metrics', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'metrics.md'), 'utf8');

  it('is in docs/metrics.md, word for word, and nothing else is', () => {
    const rows = [...page.matchAll(/^\| `(casalingua_\w+)` +\| (.+?) +\|$/gm)].map(([, name, rest = '']) => [
      name,
      ...rest.split('|').map((cell) => cell.trim()),
    ]);
    expect(rows).toEqual(names.map(row));
  });

  it('gives each metric the name of its unit in Prometheus', () => {
    for (const name of names) {
      const { unit } = catalogue[name];
      const end = { Seconds: /_seconds/, Bytes: /_bytes/, Percent: /_percent/, Count: /./, None: /./ }[unit];
      expect(prometheusName(name)).toMatch(end);
    }
  });

  it('has no series by dimensions that the metric does not have, and buckets where there are values', () => {
    for (const name of names) {
      const { kind, dimensions, series, buckets }: MetricDefinition = catalogue[name];
      for (const each of series) expect(dimensions).toEqual(expect.arrayContaining([...each]));
      expect(buckets.length > 0).toBe(kind === 'distribution');
    }
  });
});

/** As docs/metrics.md has it. */
function row(name: MetricName): readonly string[] {
  const { kind, unit, dimensions, series, help }: MetricDefinition = catalogue[name];
  const inCloudWatch = series.length === 0 ? '–' : `\`${cloudWatchName(name)}\``;
  const labels = dimensions.map((dimension) => `\`${dimension}\``).join(', ') || '–';
  const rolled = series.length < 2 ? '' : ` (also by ${series.slice(0, -1).map(words).join(', ')})`;
  return [prometheusName(name), inCloudWatch, kind, unit, `${labels}${rolled}`, help];
}

function words(dimensions: readonly string[]): string {
  return dimensions.length === 0 ? 'none' : dimensions.map((dimension) => `\`${dimension}\``).join(', ');
}
