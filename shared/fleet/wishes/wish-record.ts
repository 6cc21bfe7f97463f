import { digestKey } from '../breaker/digest-entry.ts';
import { absent, type Change, equals, type Item, type Key, remove, set, type Update } from '../table/fleet-table.ts';

/** What an operator can want of a model, on all instances. `pinned`: loaded, and not to be unloaded. */
export type Want = 'loaded' | 'unloaded' | 'pinned';

/** `pk=WISH, sk=<model id>`: the latest wish; there is one register for each model, and it is never deleted. */
export interface WishRecord {
  readonly want: Want;
  /** Grows by one with every wish. */
  readonly seq: number;
  readonly by: string;
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  /** From then on it is as if nobody had wished it; undefined: for good. */
  readonly until: number | undefined;
  /** The id of the request that made it: by this a lost answer is recognised. */
  readonly request: string;
}

/** The partition of all registers. */
export const WISHES = 'WISH';

const wants: Readonly<Record<Want, true>> = { loaded: true, unloaded: true, pinned: true };

export function wishKey(model: string): Key {
  return { pk: WISHES, sk: model };
}

/** Undefined when there is no wish, or one of another version of this project that cannot be understood here. */
export function toWish(item: Item | undefined): WishRecord | undefined {
  const { want, by, at, until, request } = item ?? {};
  const seq = wishSeq(item);
  if (seq === 0 || typeof want !== 'string' || !isWant(want)) return undefined;
  return {
    want,
    seq,
    by: typeof by === 'string' ? by : '',
    at: typeof at === 'number' ? at : 0,
    until: typeof until === 'number' ? until : undefined,
    request: typeof request === 'string' ? request : '',
  };
}

/** 0 when there is no wish. */
export function wishSeq(item: Item | undefined): number {
  const seq = item?.['seq'];
  return typeof seq === 'number' ? seq : 0;
}

/** Puts the wish in the place of the one before it, and of no other. */
export function replaceWish(model: string, { want, seq, by, at, until, request }: WishRecord): Update {
  const untilChange: Change = until === undefined ? remove('until') : set(['until'], until);
  return {
    name: 'WISH',
    key: wishKey(model),
    condition: seq === 1 ? absent('seq') : equals(['seq'], seq - 1),
    changes: [
      set(['want'], want),
      set(['seq'], seq),
      set(['by'], by),
      set(['at'], at),
      untilChange,
      set(['request'], request),
    ],
  };
}

/** Tells all instances, by the digest that they read anyway, that there is a wish to read. */
export const announceWish: Update = {
  name: 'ANNOUNCE',
  key: digestKey,
  condition: undefined,
  changes: [{ kind: 'add', attribute: 'wish', value: 1 }],
};

/** In the digest: the sum of all wishes' numbers at the monitor's last look. */
export const TOLD = 'told';

function isWant(text: string): text is Want {
  return Object.hasOwn(wants, text);
}
