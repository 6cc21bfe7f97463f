/** Numbers and times for people. */

const MB = 1024 * 1024;

export function megabytes(mb: number): string {
  return mb < 1024 ? `${Math.round(mb)} MB` : `${(mb / 1024).toFixed(1)} GB`;
}

export function megabytesOf(bytes: number): string {
  return (bytes / MB).toFixed(1);
}

/** How long something lasts or lasted: `4 s`, `3 min 20 s`, `5 h 2 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return twoParts(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return twoParts(hours, 'h', minutes % 60, 'min');
  return twoParts(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** How long ago: one unit is enough. */
export function age(ms: number): string {
  return duration(ms).split(' ').slice(0, 2).join(' ');
}

function twoParts(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** How long a step took, where tenths tell something. */
export function took(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : duration(ms);
}

/** A moment of today as a time of day, another one with its date. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  if (date.toDateString() === new Date(now).toDateString()) return time;
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
  return `${day} ${time}`;
}

/** `340 ms`, `6.3 s`. */
export function milliseconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${amount(ms / 1_000)} s`;
}

/** `12`, `3.4`, `0.25`. */
export function amount(number: number): string {
  if (number >= 10 || Number.isInteger(number)) return String(Math.round(number));
  return number >= 1 ? number.toFixed(1) : number.toFixed(2);
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `READY on 2, DOWNLOADING on 1`. */
export function countsInWords(states: Readonly<Record<string, number>>): string {
  return Object.entries(states)
    .map(([state, count]) => `${state} on ${count}`)
    .join(', ');
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
