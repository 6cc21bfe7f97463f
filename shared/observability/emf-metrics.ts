import { catalogue, cloudWatchName, type MetricDefinition, type MetricName } from './metric-catalogue.ts';
import { type Metrics, seriesKey } from './metrics.ts';

export interface EmfOptions {
  /** Gets a line, or several, without the last line break. */
  readonly write: (line: string) => void;
  readonly namespace: string;
  /** The dimension that every series has. */
  readonly service: string;
  readonly clock: { now(): number };
}

/** What has been measured of one series since the last flush. */
interface Series {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  values: number[];
}

/** Readings come at most once in so many ms: CloudWatch keeps one a minute. */
const SAMPLE_MS = 60_000;
/** Of one metric in one line. */
const MOST_VALUES = 100;

/**
 * CloudWatch's embedded metric format: lines of the log that CloudWatch takes metrics from. What was measured since the last flush goes out
 * in as few lines as can be; counts are summed up, of readings the last one counts. Written by hand: Powertools' metrics took 25 µs
 * for what a request measures, five times as long, and cannot keep sums over a dimension beside the series themselves.
 */
export class EmfMetrics implements Metrics {
  readonly #options: EmfOptions;
  readonly #pending = new Map<string, Series>();
  readonly #totals = new Map<string, number>();
  readonly #samples: (() => void)[] = [];
  #sampledAt = Number.NEGATIVE_INFINITY;

  constructor(options: EmfOptions) {
    this.#options = options;
  }

  count(name: MetricName, labels: Readonly<Record<string, string>>, by = 1): void {
    const series = this.#seriesOf(name, labels);
    if (series !== undefined && by !== 0) series.values = [(series.values[0] ?? 0) + by];
  }

  countTo(name: MetricName, labels: Readonly<Record<string, string>>, total: number): void {
    const key = seriesKey(name, labels);
    const before = this.#totals.get(key) ?? 0;
    this.#totals.set(key, total);
    this.count(name, labels, total < before ? total : total - before);
  }

  observe(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    this.#seriesOf(name, labels)?.values.push(value);
  }

  gauge(name: MetricName, labels: Readonly<Record<string, string>>, value: number): void {
    const series = this.#seriesOf(name, labels);
    if (series !== undefined) series.values = [value];
  }

  onSample(sample: () => void): void {
    this.#samples.push(sample);
  }

  flush(): void {
    const now = this.#options.clock.now();
    // A clock that was set back samples anew.
    if (!(Math.abs(now - this.#sampledAt) < SAMPLE_MS)) {
      this.#sampledAt = now;
      for (const sample of this.#samples) sample();
    }
    const { namespace, service, write } = this.#options;
    const lines = linesOf(this.#pending.values()).map((line) => line.text(namespace, service, now));
    this.#pending.clear();
    if (lines.length > 0) write(lines.join('\n'));
  }

  /** Undefined where CloudWatch is not to get it. */
  #seriesOf(name: MetricName, labels: Readonly<Record<string, string>>): Series | undefined {
    if (catalogue[name].series.length === 0) return undefined;
    const key = seriesKey(name, labels);
    let series = this.#pending.get(key);
    if (series === undefined) {
      series = { name, labels, values: [] };
      this.#pending.set(key, series);
    }
    return series;
  }
}

/** One line: metrics with their labels, of which no two have the same name and different values. */
class Line {
  readonly #directives: { readonly dimensions: MetricDefinition['series']; readonly names: MetricName[] }[] = [];
  readonly #members: Record<string, string | number | readonly number[]> = {};

  /** @returns whether there is room for it here */
  add({ name, labels }: Series, values: readonly number[]): boolean {
    const metric = cloudWatchName(name);
    if (metric in this.#members) return false;
    for (const label in labels)
      if ((this.#members[label] ?? labelOf(labels, label)) !== labelOf(labels, label)) return false;
    for (const label in labels) this.#members[label] = labelOf(labels, label);
    const [only] = values;
    this.#members[metric] = values.length === 1 && only !== undefined ? only : values;
    const { series: dimensions }: MetricDefinition = catalogue[name];
    const like = this.#directives.find((directive) => isSame(directive.dimensions, dimensions));
    if (like === undefined) this.#directives.push({ dimensions, names: [name] });
    else like.names.push(name);
    return true;
  }

  text(namespace: string, service: string, now: number): string {
    const directives = this.#directives.map(({ dimensions, names }) => ({
      Namespace: namespace,
      Dimensions: dimensions.map((each) => ['service', ...each]),
      Metrics: names.map((name) => ({ Name: cloudWatchName(name), Unit: catalogue[name].unit })),
    }));
    return JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics: directives }, service, ...this.#members });
  }
}

/** CloudWatch takes no empty one. */
function labelOf(labels: Series['labels'], label: string): string {
  return labels[label] || 'none';
}

function isSame(a: MetricDefinition['series'], b: MetricDefinition['series']): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function linesOf(all: Iterable<Series>): readonly Line[] {
  const lines: Line[] = [];
  for (const series of all) {
    for (let from = 0; from < series.values.length; from += MOST_VALUES) {
      const values = series.values.slice(from, from + MOST_VALUES);
      if (lines.some((line) => line.add(series, values))) continue;
      const line = new Line();
      line.add(series, values);
      lines.push(line);
    }
  }
  return lines;
}
