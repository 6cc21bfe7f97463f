import type { Labels, MetricName, NameOf } from './metric-catalogue.ts';

/** Where measurements go. Nothing here throws, or waits. */
export interface Metrics {
  /** @default by - 1 */
  count<Name extends NameOf<'counter'>>(name: Name, labels: Labels<Name>, by?: number): void;
  /** Of a counter that somebody else keeps: what it stands at. */
  countTo<Name extends NameOf<'counter'>>(name: Name, labels: Labels<Name>, total: number): void;
  observe<Name extends NameOf<'distribution'>>(name: Name, labels: Labels<Name>, value: number): void;
  gauge<Name extends NameOf<'gauge'>>(name: Name, labels: Labels<Name>, value: number): void;
  /** Calls it whenever readings are wanted; it is to give them by `gauge` and `countTo`. */
  onSample(sample: () => void): void;
  /** Sends what has been measured, where it is to be sent: at the end of a request or of a run of the monitor. */
  flush(): void;
}

/** For who wants none. */
export const noMetrics: Metrics = {
  count: () => {},
  countTo: () => {},
  observe: () => {},
  gauge: () => {},
  onSample: () => {},
  flush: () => {},
};

/** One series of a metric. */
export function seriesKey(name: MetricName, labels: Readonly<Record<string, string>>): string {
  let key: string = name;
  for (const label in labels) key += `\n${labels[label]}`;
  return key;
}
