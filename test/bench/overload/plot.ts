import type { Measured } from './report.ts';

const SIZE = { width: 720, height: 400 } as const;
/** Around the lines, for words. */
const MARGIN = { left: 64, right: 150, top: 32, bottom: 56 } as const;
const LINES = [
  { gate: 'on', colour: '#0b6e4f', words: 'with the gate' },
  { gate: 'off', colour: '#b3261e', words: 'without' },
] as const;

/** Answers in time against what is asked for, both in terms of the capacity, as an SVG that needs nothing else. */
export function plotOf(capacityPerSecond: number, measured: readonly Measured[]): string {
  const times = [...new Set(measured.map((each) => each.times))];
  const inside = { width: SIZE.width - MARGIN.left - MARGIN.right, height: SIZE.height - MARGIN.top - MARGIN.bottom };
  // Each load as far from the next as any other: they grow by factors.
  const x = (load: number) => MARGIN.left + (times.indexOf(load) / Math.max(1, times.length - 1)) * inside.width;
  const relative = ({ level }: Measured) => level.goodputPerSecond / capacityPerSecond;
  const top = Math.max(1.2, ...measured.map(relative));
  const y = (goodput: number) => MARGIN.top + (1 - goodput / top) * inside.height;
  const text = (at: { x: number; y: number }, words: string, more = '') =>
    `<text x="${at.x.toFixed(1)}" y="${at.y.toFixed(1)}" ${more}>${words}</text>`;
  const bottom = MARGIN.top + inside.height;
  const rules = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<path d="M${MARGIN.left} ${y(share).toFixed(1)}h${inside.width}" stroke="#ccc"/>`,
    text({ x: MARGIN.left - 8, y: y(share) + 4 }, `${share * 100} %`, 'text-anchor="end"'),
  ]);
  const lines = LINES.flatMap(({ gate, colour, words }) => {
    const points = measured
      .filter((each) => each.gate === gate)
      .map((each) => ({ x: x(each.times), y: y(relative(each)) }));
    const path = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${point.x.toFixed(1)} ${point.y.toFixed(1)}`);
    const last = points.at(-1);
    return [
      `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points.map(
        (point) => `<circle cx="${point.x.toFixed(1)}" cy="${point.y.toFixed(1)}" r="4" fill="${colour}"/>`,
      ),
      ...(last === undefined ? [] : [text({ x: last.x + 12, y: last.y + 4 }, words, `fill="${colour}"`)]),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="13" role="img">`,
    '<title>Answers in time, of what can be served, by the load</title>',
    `<rect width="${SIZE.width}" height="${SIZE.height}" fill="#fff"/>`,
    ...rules,
    ...times.map((load) => text({ x: x(load), y: bottom + 20 }, `${load}`, 'text-anchor="middle"')),
    text(
      { x: MARGIN.left + inside.width / 2, y: bottom + 44 },
      'requests, in times of the capacity',
      'text-anchor="middle"',
    ),
    text({ x: MARGIN.left, y: 18 }, `answers in time; 100 % are ${capacityPerSecond.toFixed(0)} a second`),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
