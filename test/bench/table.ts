import type { Benchmark, Report, Target } from './benchmark.ts';

/** A report for people, in Markdown as `docs/performance.md` keeps it: ratios, then figures, with their targets. */
export function inWords(benchmark: Pick<Benchmark, 'name' | 'targets'>, report: Report): string {
  const section = (head: string, values: Report['figures']) => {
    const rows = Object.entries(values).map(([key, value]) => [key, rounded(value), ...verdict(benchmark, key, value)]);
    const hasTargets = Object.keys(values).some((key) => key in benchmark.targets);
    if (hasTargets) return table([head, 'median', 'target', ''], rows);
    return table(
      [head, 'median'],
      rows.map((row) => row.slice(0, 2)),
    );
  };
  const { ratios, figures } = report;
  const parts = [
    ...(Object.keys(ratios).length === 0 ? [] : [section('ratio', ratios)]),
    section(`figure of ${benchmark.name}`, figures),
  ];
  return parts.map((lines) => lines.join('\n')).join('\n\n');
}

function verdict({ targets }: Pick<Benchmark, 'targets'>, key: string, value: number): [string, string] {
  const target = targets[key];
  if (target === undefined) return ['', 'reported'];
  return [inSigns(target), isMet(target, value) ? 'met' : 'not met'];
}

function inSigns(target: Target): string {
  return 'atMost' in target ? `≤ ${target.atMost}` : `≥ ${target.atLeast}`;
}

function isMet(target: Target, value: number): boolean {
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
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
