import type { CallerLimits } from '../../config/caller-limits.ts';
import { isScope, type Scope } from '../../config/scopes.ts';
import {
  absent,
  type Change,
  equals,
  type Item,
  type Key,
  set,
  type Update,
  type Value,
} from '../table/fleet-table.ts';

/** `pk=KEY#<sha256 of the key>, sk=KEY`. */
export interface KeyRecord {
  /** Of the key, hexadecimal. */
  readonly hash: string;
  /** Who calls with it. Keys of one name share its limits. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits: CallerLimits;
  /** Who made it. */
  readonly by: string;
  /** Wall clock, ms since the epoch. */
  readonly createdAt: number;
  /** From then on it is refused; undefined: never. */
  readonly until: number | undefined;
  readonly isDisabled: boolean;
}

const PARTITION = 'KEY#';
const SORT_KEY = 'KEY';

export function keyAddress(hash: string): Key {
  return { pk: PARTITION + hash, sk: SORT_KEY };
}

/** The hash in the address of a key's item; undefined for every other item. */
export function hashIn({ pk, sk }: Key): string | undefined {
  return pk.startsWith(PARTITION) && sk === SORT_KEY ? pk.slice(PARTITION.length) : undefined;
}

/** Undefined when there is no key, or one of another version of this project that cannot be understood here. */
export function toKeyRecord(item: Item | undefined): KeyRecord | undefined {
  const { sha256, name, scopes, limits, by, at, until, disabled } = item ?? {};
  if (typeof sha256 !== 'string' || typeof name !== 'string' || !(scopes instanceof Set)) return undefined;
  return {
    hash: sha256,
    name,
    // One that is not known here allows nothing here.
    scopes: [...scopes].filter(isScope),
    limits: limitsIn(limits),
    by: typeof by === 'string' ? by : '',
    createdAt: numberIn(at) ?? 0,
    until: numberIn(until),
    isDisabled: disabled !== undefined,
  };
}

/** Adds a key, and never replaces one. */
export function addKey({ hash, name, scopes, limits, by, createdAt, until, isDisabled }: KeyRecord): Update {
  const { charactersPerMinute, requestsPerMinute } = limits;
  const own = {
    ...(charactersPerMinute === undefined ? {} : { characters: charactersPerMinute }),
    ...(requestsPerMinute === undefined ? {} : { requests: requestsPerMinute }),
  };
  return {
    name: 'ADD KEY',
    key: keyAddress(hash),
    condition: absent('sha256'),
    changes: [
      set(['sha256'], hash),
      set(['name'], name),
      set(['scopes'], new Set(scopes)),
      ...(Object.keys(own).length === 0 ? [] : [set(['limits'], own)]),
      set(['by'], by),
      set(['at'], createdAt),
      ...(until === undefined ? [] : [set(['until'], until)]),
      ...(isDisabled ? [set(['disabled'], 1)] : []),
    ],
  };
}

/** Disables or enables a key that is there. */
export function disableKey(hash: string, isDisabled: boolean): Update {
  const change: Change = isDisabled ? set(['disabled'], 1) : { kind: 'remove', path: ['disabled'] };
  return { name: 'DISABLE KEY', key: keyAddress(hash), condition: equals(['sha256'], hash), changes: [change] };
}

function limitsIn(limits: Value | undefined): CallerLimits {
  if (typeof limits !== 'object' || limits instanceof Set) return {};
  const { characters, requests } = Object.fromEntries(Object.entries(limits));
  const charactersPerMinute = numberIn(characters);
  const requestsPerMinute = numberIn(requests);
  return {
    ...(charactersPerMinute === undefined ? {} : { charactersPerMinute }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  };
}

function numberIn(value: Value | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
