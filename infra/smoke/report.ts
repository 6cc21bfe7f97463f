import type { CheckResult } from './run-checks.ts';

/** A table for people, and below it what went wrong. */
export function reportOf(results: readonly CheckResult[]): string {
  const rows = results.map(({ name, status, ms, tries, fault }) => [
    name,
    fault === undefined ? 'ok' : 'FAILED',
    String(status ?? '-'),
    ms.toFixed(0),
    String(tries),
  ]);
  const head = ['check', 'result', 'status', 'ms', 'tries'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const faults = results.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`]));
  return [line(head), ...rows.map(line), ...(faults.length === 0 ? [] : ['', ...faults])].join('\n');
}
