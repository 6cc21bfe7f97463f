import { playRange, type Range } from './fleet-tally.ts';

// Every refusal is an error, whose stack nobody looks at here.
Error.stackTraceLimit = 0;

process.on('message', (range: Range) => {
  // Whoever asked may be gone by now.
  process.send?.(playRange(range), undefined, undefined, () => {});
});
process.on('disconnect', () => process.exit());
