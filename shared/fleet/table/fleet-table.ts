/** A member of an item, or a member of a map in it. */
export type Path = readonly [attribute: string] | readonly [attribute: string, member: string];

export type Scalar = string | number;
export type Value = Scalar | ReadonlySet<string> | Readonly<Record<string, Scalar>>;
/** An item without its key. */
export type Item = Readonly<Record<string, Value>>;

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** What an item must be like for an update to happen. A clause on what is not there is false, `absent` aside. */
export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'absent'; readonly path: Path }
  | { readonly kind: 'equals'; readonly path: Path; readonly value: Scalar }
  | { readonly kind: 'at most'; readonly path: Path; readonly value: number }
  | { readonly kind: 'above'; readonly path: Path; readonly value: number }
  /** A set with fewer members. */
  | { readonly kind: 'smaller'; readonly path: Path; readonly size: number };

export type Change =
  | { readonly kind: 'set'; readonly path: Path; readonly value: Value }
  | { readonly kind: 'remove'; readonly path: Path }
  /** To a number, which begins at 0, or to a set, which begins empty. */
  | { readonly kind: 'add'; readonly attribute: string; readonly value: number | ReadonlySet<string> };

/**
 * One conditional write of one item: all of it, or nothing. Plain data, so that the store's adapter can render it, a
 * simulation can carry it out, and a test can drop a clause of it.
 */
export interface Update {
  /** E.g. `TRIP`: for the log, and for whoever drops clauses. */
  readonly name: string;
  readonly key: Key;
  readonly condition: Condition | undefined;
  readonly changes: readonly Change[];
}

/** The store could not answer in time; an update may or may not have happened. */
export interface Unavailable {
  readonly kind: 'unavailable';
}

export type ReadAnswer = { readonly kind: 'read'; readonly item: Item | undefined } | Unavailable;
export type QueryAnswer = { readonly kind: 'read'; readonly items: ReadonlyMap<string, Item> } | Unavailable;
export type UpdateAnswer =
  /** The item as it is now. */
  | { readonly kind: 'updated'; readonly item: Item }
  /** The condition was not met; the item as it is instead. */
  | { readonly kind: 'refused'; readonly item: Item | undefined }
  | Unavailable;

export interface ReadOptions {
  readonly isConsistent?: boolean;
  /** Nobody can go on without it: it has as long as a first call. */
  readonly isNeeded?: boolean;
}

/**
 * The fleet's table, as the state machines of the fleet call it: never waiting, and told of the answer in a later step. So they
 * are plain code, which a simulation can run a million times, and whose every interleaving can be tried.
 */
export interface FleetTable {
  read(key: Key, done: (answer: ReadAnswer) => void, options?: ReadOptions): void;
  /** All items under `pk`, by `sk`; consistent. */
  query(pk: string, done: (answer: QueryAnswer) => void): void;
  update(update: Update, done: (answer: UpdateAnswer) => void): void;
}

export function all(...of: readonly Condition[]): Condition {
  return { kind: 'all', of };
}

export function any(...of: readonly Condition[]): Condition {
  return { kind: 'any', of };
}

export function absent(...path: Path): Condition {
  return { kind: 'absent', path };
}

export function equals(path: Path, value: Scalar): Condition {
  return { kind: 'equals', path, value };
}

export function set(path: Path, value: Value): Change {
  return { kind: 'set', path, value };
}

export function remove(...path: Path): Change {
  return { kind: 'remove', path };
}
