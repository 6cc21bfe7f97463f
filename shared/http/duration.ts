import parseDuration from 'parse-duration';

/** As Go writes durations, days besides; the library takes what it finds in any text. */
const form = /^[+-]?(?:(?:\d+(?:\.\d+)?|\.\d+)\s*(?:ns|us|µs|ms|s|m|h|d)\s*)+$/;

/** Ms of a duration like `5m` or `1h30m`; NaN where the text is none. */
export function durationMs(text: string): number {
  return form.test(text) ? (parseDuration(text) ?? Number.NaN) : Number.NaN;
}
