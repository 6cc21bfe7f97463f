import {
  absent,
  all,
  any,
  type Change,
  type Condition,
  type Item,
  type Key,
  set,
  type Update,
} from '../table/fleet-table.ts';

/*
 * A bucket is told by one number: the moment at which it will be full again (a "theoretical arrival time"). To take something
 * moves that moment into the future by the time that it takes to come back; so whatever is taken is counted in ms, of every kind.
 */

/** What is limited. */
export type Kind = 'requests' | 'characters';
export const kinds: readonly Kind[] = ['requests', 'characters'];

/** By kind, wall clock ms: when the bucket will be full again. */
export type Levels = Readonly<Record<Kind, number>>;
/** By kind, ms that it takes for what was taken to come back. */
export type Amounts = Readonly<Record<Kind, number>>;

export const nothing: Amounts = { requests: 0, characters: 0 };

/** An empty bucket is full again after so long: it holds what a minute allows. */
export const BUCKET_MS = 60_000;
/** No bucket is so far behind: whoever wrote that had a clock that is wrong. */
const ABSURD_MS = 600_000;
/** Seconds for which an item is kept that says nothing any more. */
const KEPT_SECONDS = 3_600;

const attributes: Readonly<Record<Kind, string>> = { requests: 'r', characters: 'c' };

/** `pk=RATE#<subject>, sk=BUCKET`. */
export function bucketAddress(subject: string): Key {
  return { pk: `RATE#${subject}`, sk: 'BUCKET' };
}

/** What the item says; a bucket that it does not have is full. */
export function levelsIn(item: Item | undefined): Levels {
  return each((kind) => {
    const level = item?.[attributes[kind]];
    return typeof level === 'number' ? level : 0;
  });
}

/** Ms that the bucket still needs to be full. @param most what is more is not believed */
export function behind(level: number, now: number, most = ABSURD_MS): number {
  const ms = level - now;
  return ms > 0 && ms <= most ? ms : 0;
}

/** What was let through and not told to the store yet. */
export interface Untold {
  readonly amounts: Amounts;
  /** When the first of it was let through, or the bucket was full again by what was known then, if that was later. */
  readonly begins: Levels;
  /** What is behind by it, if nobody else has taken anything since that was known. */
  readonly levels: Levels;
}

/** With something more, let through now. @param known what the store had said when the first of it was let through */
export function addUntold(untold: Untold | undefined, amounts: Amounts, known: Levels, now: number): Untold {
  const levels = untold?.levels ?? known;
  return {
    begins: untold?.begins ?? each((kind) => now + behind(known[kind], now)),
    amounts: each((kind) => (untold?.amounts[kind] ?? 0) + amounts[kind]),
    levels: each((kind) => now + behind(levels[kind], now) + amounts[kind]),
  };
}

/**
 * Takes it from the shared bucket, whatever is in there: it has been used. It happens if the bucket is as it is `known` to be.
 */
export function chargeBucket(subject: string, untold: Untold, known: Levels, now: number): Update {
  const steps = kinds
    .filter((kind) => untold.amounts[kind] > 0)
    .map((kind) => chargeKind(kind, untold, known[kind], now));
  return {
    name: 'CHARGE',
    key: bucketAddress(subject),
    condition: all(...steps.map(({ condition }) => condition)),
    changes: [...steps.map(({ change }) => change), set(['expires'], Math.ceil(now / 1_000) + KEPT_SECONDS)],
  };
}

function chargeKind(
  kind: Kind,
  { amounts, begins, levels }: Untold,
  known: number,
  now: number,
): { readonly condition: Condition; readonly change: Change } {
  const attribute = attributes[kind];
  const path = [attribute] as const;
  if (behind(known, now) > 0) {
    const isFilling = all({ kind: 'above', path, value: now }, { kind: 'at most', path, value: now + ABSURD_MS });
    return { condition: isFilling, change: { kind: 'add', attribute, value: amounts[kind] } };
  }
  // Untouched since then, it is behind by just this. Touched, and full again: by no more than all of it at once.
  const isUntouched = known <= begins[kind] || known > now;
  const wasFullAt: Condition = { kind: 'at most', path, value: isUntouched ? Math.min(begins[kind], now) : now };
  return {
    condition: any(absent(attribute), wasFullAt, { kind: 'above', path, value: now + ABSURD_MS }),
    change: set(path, isUntouched ? levels[kind] : now + amounts[kind]),
  };
}

/** The same for each kind. */
export function each(of: (kind: Kind) => number): Amounts {
  return { requests: of('requests'), characters: of('characters') };
}
