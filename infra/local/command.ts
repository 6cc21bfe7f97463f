/** What `npm start` and `npm run serve` share as commands. */

/** The port that was given on the command line; what is not one ends the process. */
export function portOf(text: string | undefined, fallback: number): number {
  const port = text === undefined || text === '' ? fallback : Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  console.error(`"${text}" is not a port: a whole number from 0 to 65535, 0 for any free one`);
  process.exit(1);
}

/**
 * Closes and exits at the first signal to end. Ctrl-C comes twice, from the terminal and from tsx: what comes later must not
 * interrupt the closing.
 */
export function onEndSignal(close: () => Promise<void>): void {
  let closing = false;
  const end = () => {
    if (closing) return;
    closing = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
}
