import type { EventDocument } from '../read/documents.ts';
import { type Badge, breakerBadge, modelBadge } from './badge.ts';
import { moment, took } from './words.ts';

export interface EventRow {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly time: string;
  readonly subject: string;
  /** What it is in now. */
  readonly state: Badge;
  /** What it was in and how long, and why it is no more. */
  readonly detail: string;
  readonly instance: string;
}

/** The newest first, as they come. @param now the service's wall clock, ms */
export function eventRows(events: readonly EventDocument[], now: number): readonly EventRow[] {
  const seen = new Map<string, number>();
  return events.map((event) => {
    const { at, instance, from, to, code, took_ms: tookMs, model, breaker } = event;
    const isBreaker = typeof breaker === 'string';
    const subject = isBreaker ? `breaker ${breaker}` : (model ?? 'unknown');
    const name = `${at} ${instance} ${subject} ${from} ${to}`;
    const same = seen.get(name) ?? 0;
    seen.set(name, same + 1);
    // A breaker that is forced to be what it was begins anew.
    const before = from === to ? 'anew' : `from ${from.replaceAll('_', ' ')}`;
    const lasted = typeof tookMs === 'number' ? ` after ${took(tookMs)}` : '';
    return {
      id: `${name} ${same}`,
      at,
      time: moment(Date.parse(at), now),
      subject,
      state: isBreaker ? breakerBadge(to) : modelBadge(to),
      detail: `${before}${lasted}${typeof code === 'string' ? `: ${code}` : ''}`,
      instance,
    };
  });
}
