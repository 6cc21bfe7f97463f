import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { catalogue, type MetricDefinition, type MetricName, prometheusName } from './metric-catalogue.ts';
import { type Metrics, seriesKey } from './metrics.ts';

/** Of an answer that `text` is the body of. */
export const PROMETHEUS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** A registry of prom-client: all that was measured since the start of the process, for whoever comes to read it. */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #totals = new Map<string, number>();
  readonly #samples: (() => void)[] = [];

  count(name: MetricName, labels: Readonly<Record<string, string>>, by = 1): void {
    made(this.#counters, name, (options) => new Counter({ ...options, registers: [this.#registry] })).inc(labels, by);
  }

  countTo(name: MetricName, labels: Readonly<Record<string, string>>, total: number): void {
    const key = seriesKey(name, labels);
    const before = this.#totals.get(key) ?? 0;
    this.#totals.set(key, total);
    this.count(name, labels, total < before ? total : total - before);
  }

  observe(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    const buckets = [...catalogue[name].buckets];
    made(
      this.#histograms,
      name,
      (options) => new Histogram({ ...options, buckets, registers: [this.#registry] }),
    ).observe(labels, value);
  }

  gauge(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    made(this.#gauges, name, (options) => new Gauge({ ...options, registers: [this.#registry] })).set(labels, value);
  }

  onSample(sample: () => void): void {
    this.#samples.push(sample);
  }

  flush(): void {}

  /** The exposition format, with readings of now. */
  text(): Promise<string> {
    // A model, say, that no reading is made of any more is gone.
    for (const [name, gauge] of this.#gauges) if (catalogue[name].dimensions.length > 0) gauge.reset();
    for (const sample of this.#samples) sample();
    return this.#registry.metrics();
  }
}

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
}

function made<Instrument>(
  instruments: Map<MetricName, Instrument>,
  name: MetricName,
  make: (options: Described) => Instrument,
): Instrument {
  let instrument = instruments.get(name);
  if (instrument === undefined) {
    const { help, dimensions }: MetricDefinition = catalogue[name];
    instrument = make({ name: prometheusName(name), help, labelNames: [...dimensions] });
    instruments.set(name, instrument);
  }
  return instrument;
}
