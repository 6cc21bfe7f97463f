import type { Benchmark, Report } from './benchmark.ts';

/** A report for people: the figures, then each ratio with its target and whether it is met. */
export function inWords(benchmark: Pick<Benchmark, 'name' | 'targets'>, report: Report): string {
  const figures = Object.entries(report.figures).map(([key, value]) => [key, rounded(value)]);
  const ratios = Object.entries(report.ratios).map(([key, value]) => {
    const target = benchmark.targets[key];
    if (target === undefined) return [key, rounded(value), '', 'reported'];
    return [key, rounded(value), `<= ${target}`, value <= target ? 'met' : 'not met'];
  });
  return [
    benchmark.name,
    '',
    ...aligned(['figure', 'median'], figures),
    '',
    ...aligned(['ratio', 'median', 'target', ''], ratios),
  ].join('\n');
}

function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) < 10 ? 3 : 1);
}

/** The first column to the left, the others to the right. */
function aligned(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
