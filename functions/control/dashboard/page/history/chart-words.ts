import { moment } from '../view/words.ts';
import type { ChartData, Series } from './chart-data.ts';
import { tablePlaces } from './chart-data.ts';

const ROWS = 10;

/** A chart as a table. */
export interface ChartTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function seriesOf({ layers, lines }: ChartData): readonly Series[] {
  return [...layers, ...lines];
}

/** @param format a value with its unit @param now the service's wall clock, ms */
export function chartTable(data: ChartData, format: (value: number) => string, now: number): ChartTable {
  const series = seriesOf(data);
  return {
    head: ['Time', ...series.map(({ name }) => name)],
    rows: tablePlaces(data.times.length, ROWS).map((place) => [
      moment((data.times[place] ?? 0) * 1_000, now),
      ...series.map(({ values }) => valueInWords(values[place], format)),
    ]),
  };
}

/** What the chart says now, in a sentence. */
export function chartInWords(title: string, data: ChartData, format: (value: number) => string): string {
  const last = data.times.length - 1;
  const values = seriesOf(data).map((series) => `${series.name} ${valueInWords(series.values[last], format)}`);
  return `${title}. ${last < 0 || values.length === 0 ? 'Nothing is known yet.' : `Now: ${values.join(', ')}.`}`;
}

export function valueInWords(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}
