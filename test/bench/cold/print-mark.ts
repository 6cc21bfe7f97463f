/** Now in ms since the epoch, with fractions, on the clock that all processes of one machine share. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** What a program's first answer was, so that both sides can be held to the same. */
export function printAnswer(translation: string): void {
  process.stdout.write(`${JSON.stringify({ event: 'bench.answer', translation })}\n`);
}

/** Tells the moment to the process that started this one. */
export function printMark(name: string): void {
  process.stdout.write(`${JSON.stringify({ event: 'bench.mark', name, at: now() })}\n`);
}
