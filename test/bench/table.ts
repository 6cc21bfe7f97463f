import type { Benchmark, Report } from './benchmark.ts';

/** A report for people, in Markdown as `docs/performance.md` keeps it: each ratio with its target, then the figures. */
export function inWords(benchmark: Pick<Benchmark, 'name' | 'targets'>, report: Report): string {
  const ratios = Object.entries(report.ratios).map(([key, value]) => {
    const target = benchmark.targets[key];
    if (target === undefined) return [key, rounded(value), '', 'reported'];
    return [key, rounded(value), `≤ ${target}`, value <= target ? 'met' : 'not met'];
  });
  const figures = Object.entries(report.figures).map(([key, value]) => [key, rounded(value)]);
  return [
    ...table(['ratio', 'median', 'target', ''], ratios),
    '',
    ...table([`figure of ${benchmark.name}`, 'median'], figures),
  ].join('\n');
}

function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}

/** Names to the left, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((line) => line[column]?.length ?? 0)));
  const isNumber = (column: number) => column === 1;
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isNumber(column) ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) => (isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(head), line(rule), ...rows.map(line)];
}
