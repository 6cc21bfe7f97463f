import { resolve } from 'node:path';

/** What `npm start` and `npm run serve` share as commands. */

/** The port that was given on the command line; what is not one ends the process. */
export function portOf(text: string | undefined, fallback: number): number {
  const port = text === undefined || text === '' ? fallback : Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  console.error(`"${text}" is not a port: a whole number from 0 to 65535, 0 for any free one`);
  process.exit(1);
}

/** The number of instances that was given on the command line; what is not one ends the process. */
export function instancesOf(text: string): number {
  const count = text === '' ? Number.NaN : Number(text);
  if (Number.isInteger(count) && count >= 0) return count;
  console.error(`"${text}" is not a number of instances: a whole number from 0`);
  process.exit(1);
}

/**
 * The settings of the functions in the command's own environment. The path of a configuration file starts at the folder where
 * npm was started, which npm itself leaves.
 */
export function functionVariables(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('CASALINGUA_') && value !== undefined) variables[name] = value;
  }
  const file = variables['CASALINGUA_CONFIG_FILE'];
  if (file) variables['CASALINGUA_CONFIG_FILE'] = resolve(env['INIT_CWD'] ?? process.cwd(), file);
  return variables;
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

/** The key that a local run has made, for whoever started it. */
export function keyInWords(apiKey: string): string {
  return `Its API key, for all that needs one, is told only now: ${apiKey}`;
}
