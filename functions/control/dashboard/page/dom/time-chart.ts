import uPlot from 'uplot';
import { type ChartData, stacked } from '../history/chart-data.ts';
import { chartInWords, chartTable, seriesOf, valueInWords } from '../history/chart-words.ts';
import { colourOf } from './colours.ts';
import { byId, make, setAttribute, setText } from './elements.ts';
import { KeyedList } from './keyed-list.ts';

export interface TimeChartOptions {
  readonly title: string;
  /** A value with its unit. */
  readonly format: (value: number) => string;
  /** At an axis, without one. */
  readonly formatAxis: (value: number) => string;
  /** The least that the axis goes up to: small noise does not fill the chart. */
  readonly least: number;
  /** CSS pixels. */
  readonly height: number;
  /** Steps of the axis. @default - decimal ones */
  readonly steps?: number[];
}

export interface TimeChart {
  /** @param from, to the time that is shown, seconds since the epoch */
  show(data: ChartData, from: number, to: number): void;
  /** Colours are others. */
  recolour(): void;
}

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly colour: string;
  readonly isLine: boolean;
}

const LAYER_COLOURS = 8;
const HOUR = 3_600;

/** Layers and lines over time, with a legend that has the values, and the same as a table. */
export function createTimeChart(id: string, options: TimeChartOptions): TimeChart {
  const { title, format, formatAxis, least, steps, height } = options;
  const container = byId(id, HTMLElement);
  const canvas = make('div', { role: 'img', class: 'plot' });
  const legendList = make('ul', { class: 'legend' });
  const tableBody = make('tbody');
  const tableHead = make('tr');
  const details = make(
    'details',
    {},
    make('summary', {}, 'As a table'),
    make(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${title}, as a table` },
      make('table', {}, make('caption', {}, title), make('thead', {}, tableHead), tableBody),
    ),
  );
  container.append(canvas, legendList, details);

  const legend = new KeyedList<Entry>(legendList, {
    keyOf: ({ name }) => name,
    make: () => {
      const mark = make('span', { class: 'mark', 'aria-hidden': 'true' });
      const name = make('span');
      const value = make('b');
      return {
        element: make('li', {}, mark, name, ' ', value),
        update: (entry) => {
          mark.style.backgroundColor = `var(${entry.colour})`;
          mark.classList.toggle('line', entry.isLine);
          setText(name, entry.name);
          setText(value, entry.value);
        },
      };
    },
  });

  let data: ChartData = { times: [], layers: [], lines: [] };
  let range: readonly [number, number] = [0, 1];
  let plot: uPlot | undefined;
  let names = '';

  new ResizeObserver(() => plot?.setSize({ width: canvas.clientWidth, height: height })).observe(canvas);
  details.addEventListener('toggle', () => showTable());

  return {
    show(next, from, to) {
      data = next;
      range = [from, to];
      const nextNames = seriesOf(data)
        .map(({ name }) => name)
        .join('\n');
      if (plot === undefined || nextNames !== names) {
        names = nextNames;
        rebuild();
      } else {
        plot.setData(aligned(data));
      }
      setAttribute(canvas, 'aria-label', chartInWords(title, data, format));
      showLegend(plot?.cursor.idx ?? undefined);
      showTable();
    },
    recolour: rebuild,
  };

  function rebuild(): void {
    plot?.destroy();
    plot = new uPlot(plotOptions(), aligned(data), canvas);
  }

  function plotOptions(): uPlot.Options {
    const axis = {
      stroke: colourOf('--quiet', container),
      font: '12px system-ui, sans-serif',
      grid: { stroke: colourOf('--grid', container), width: 1 },
    };
    const ticks = { stroke: colourOf('--grid', container), width: 1, size: 4 };
    const layers = data.layers.map((layer, place) => {
      const colour = colourOf(layerColour(place), container);
      return { label: layer.name, stroke: colour, fill: translucent(colour), width: 1, points: { show: false } };
    });
    const lines = data.lines.map((line, place) => ({
      label: line.name,
      stroke: colourOf(lineColour(place), container),
      width: 2,
      dash: lineDash(place),
      points: { show: false },
      spanGaps: false,
    }));
    return {
      width: canvas.clientWidth,
      height,
      legend: { show: false },
      cursor: { drag: { x: false, y: false, setScale: false }, points: { size: 6 }, y: false },
      series: [{}, ...layers, ...lines],
      // From one layer's upper edge down to that of the one below it; the lowest goes down to zero.
      bands: layers.slice(1).map((layer, place) => ({ series: [place + 2, place + 1], fill: layer.fill })),
      scales: {
        x: { time: true, range: () => [range[0], range[1]] },
        y: { range: (_, __, highest) => [0, Math.max(least, (highest ?? 0) * 1.1)] },
      },
      axes: [
        {
          ...axis,
          ticks,
          size: 28,
          space: 76,
          values: (_, splits) => splits.map((split) => (isAtTheEnd(split) ? '' : timeOfDay(split))),
        },
        {
          ...axis,
          ticks,
          size: 56,
          space: 36,
          values: (_, splits) => splits.map(formatAxis),
          ...(steps === undefined ? {} : { incrs: steps }),
        },
      ],
      padding: [8, 20, 0, 0],
      hooks: { setCursor: [(chart) => showLegend(chart.cursor.idx ?? undefined)] },
    };
  }

  /** @param place of the moment that is pointed at; undefined: the last one */
  function showLegend(place = data.times.length - 1): void {
    const entry = (isLine: boolean) => (series: ChartData['lines'][number], index: number) => ({
      name: series.name,
      value: valueInWords(series.values[place], format),
      colour: isLine ? lineColour(index) : layerColour(index),
      isLine,
    });
    legend.show([...data.layers.map(entry(false)), ...data.lines.map(entry(true))]);
  }

  function showTable(): void {
    if (!details.open) return;
    const { head, rows } = chartTable(data, format, range[1] * 1_000);
    tableHead.replaceChildren(...head.map((name) => make('th', { scope: 'col' }, name)));
    tableBody.replaceChildren(
      ...rows.map(([time = '', ...values]) =>
        make('tr', {}, make('th', { scope: 'row' }, time), ...values.map((value) => make('td', {}, value))),
      ),
    );
  }

  /** There is no room for all of it. */
  function isAtTheEnd(seconds: number): boolean {
    return range[1] - seconds < (range[1] - range[0]) * 0.05;
  }

  function timeOfDay(seconds: number): string {
    const date = new Date(seconds * 1_000);
    const parts = [date.getHours(), date.getMinutes(), ...(range[1] - range[0] < HOUR / 6 ? [date.getSeconds()] : [])];
    return parts.map((part) => String(part).padStart(2, '0')).join(':');
  }
}

function aligned({ times, layers, lines }: ChartData): uPlot.AlignedData {
  const series = [...stacked(layers), ...lines].map(({ values }) => [...values]);
  return [[...times], ...series];
}

function layerColour(place: number): string {
  return `--series-${(place % LAYER_COLOURS) + 1}`;
}

function lineColour(place: number): string {
  return `--line-${(place % 3) + 1}`;
}

/** Lines differ by more than colour. */
function lineDash(place: number): number[] {
  return [[], [6, 4], [2, 3]][place % 3] ?? [];
}

function translucent(colour: string): string {
  return colour.replace(/^rgb\((.*)\)$/, 'rgb($1 / 55%)').replace(/,/g, ' ');
}
