import { absent, any, type Item, type Key, type Update } from '../table/fleet-table.ts';
import { MOST_VOTERS, VOTE_WINDOW_MS } from './fleet-rules.ts';

/** The window that a moment belongs to. @param wall ms since the epoch */
export function voteWindow(wall: number): number {
  return Math.floor(wall / VOTE_WINDOW_MS);
}

/** Where the votes of one window are. */
export function votesKey(breaker: string, epoch: number, window: number): Key {
  return { pk: `VOTE#${breaker}#${epoch}`, sk: String(window) };
}

/** Adds one instance, once however often; refused when there are enough. The table's TTL forgets the votes after some minutes. */
export function vote(breaker: string, epoch: number, window: number, instance: string): Update {
  return {
    name: 'VOTE',
    key: votesKey(breaker, epoch, window),
    condition: any(absent('voters'), { kind: 'smaller', path: ['voters'], size: MOST_VOTERS }),
    changes: [
      { kind: 'add', attribute: 'voters', value: new Set([instance]) },
      // Seconds, as TTL wants them.
      { kind: 'set', path: ['expires'], value: ((window + EXPIRY_WINDOWS) * VOTE_WINDOW_MS) / 1000 },
    ],
  };
}

const EXPIRY_WINDOWS = 20;

export function votersOf(item: Item | undefined): ReadonlySet<string> {
  const voters = item?.['voters'];
  return voters instanceof Set ? voters : new Set();
}
