/** What a log line may carry beside its event: plain values, and never a user's text or key. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** Where events go. `event` is a stable dotted name, e.g. `http.request`. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** A log that writes one JSON object per line; `write` gets the line without its line break. */
export function createJsonLog(write: (line: string) => void, clock: { now(): number }, base: LogFields = {}): Log {
  const line =
    (level: 'info' | 'warn' | 'error') =>
    (event: string, fields?: LogFields): void =>
      write(JSON.stringify({ level, time: new Date(clock.now()).toISOString(), event, ...base, ...fields }));
  return { info: line('info'), warn: line('warn'), error: line('error') };
}
