import type { CallerLimits } from '../../shared/config/caller-limits.ts';
import type { Scope } from '../../shared/config/scopes.ts';
import { CasaLinguaError } from '../../shared/errors.ts';
import { createApiKey, hashOfKey, isApiKey } from '../../shared/fleet/keys/api-key.ts';
import type { KeyRecord } from '../../shared/fleet/keys/key-record.ts';
import type { KeyStore } from '../../shared/fleet/keys/key-store.ts';

/** What the operator has named is no key, or more than one. */
export class NoSuchKeyError extends CasaLinguaError {
  readonly code = 'NO_SUCH_KEY';
  readonly retryable = false;
}

/** A key as operators see it. */
export interface ShownKey extends Omit<KeyRecord, 'hash'> {
  /** By which commands know it: the beginning of its hash. */
  readonly id: string;
  readonly isExpired: boolean;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits: CallerLimits;
  readonly by: string;
  /** Wall clock, ms since the epoch. */
  readonly until: number | undefined;
}

/** Hexadecimal digits of an id: enough for millions of keys to differ. */
const ID_LENGTH = 12;

/** Makes a key, which nobody can be told again. @param now wall clock ms */
export async function createKey(
  store: KeyStore,
  wanted: NewKey,
  now: number,
): Promise<{ readonly key: string; readonly shown: ShownKey }> {
  const key = createApiKey();
  const record: KeyRecord = { ...wanted, hash: hashOfKey(key), createdAt: now, isDisabled: false };
  if (!(await store.add(record))) throw new Error('a new key is there already: is the random source broken?');
  return { key, shown: shownOf(record, now) };
}

export async function listKeys(store: KeyStore, now: number): Promise<readonly ShownKey[]> {
  return (await store.list()).map((record) => shownOf(record, now));
}

/** @param which a name, or the beginning of an id @throws NoSuchKeyError */
export async function disable(store: KeyStore, which: string, isDisabled: boolean, now: number): Promise<ShownKey> {
  const record = await findKey(store, which);
  if (!(await store.setDisabled(record.hash, isDisabled))) throw new NoSuchKeyError(`${which} was removed meanwhile`);
  return shownOf({ ...record, isDisabled }, now);
}

/** @param which a name, or the beginning of an id @throws NoSuchKeyError */
export async function remove(store: KeyStore, which: string, now: number): Promise<ShownKey> {
  const record = await findKey(store, which);
  await store.remove(record.hash);
  return shownOf(record, now);
}

export function keyInWords({
  id,
  name,
  scopes,
  limits,
  by,
  createdAt,
  until,
  isDisabled,
  isExpired,
}: ShownKey): string {
  const { charactersPerMinute, requestsPerMinute } = limits;
  const own = [
    ...(requestsPerMinute === undefined ? [] : [`${requestsPerMinute} requests`]),
    ...(charactersPerMinute === undefined ? [] : [`${charactersPerMinute} characters`]),
  ];
  return [
    `${id} ${name}: ${scopes.join(', ')}`,
    ...(own.length === 0 ? [] : [`${own.join(' and ')} a minute`]),
    `made by ${by} on ${dayOf(createdAt)}`,
    ...(until === undefined ? [] : [`${isExpired ? 'over since' : 'good until'} ${dayOf(until)}`]),
    ...(isDisabled ? ['disabled'] : []),
  ].join(', ');
}

async function findKey(store: KeyStore, which: string): Promise<KeyRecord> {
  // Somebody has found a key where it should not be.
  const isKey = isApiKey(which);
  const begins = isKey ? hashOfKey(which) : which;
  const found = (await store.list()).filter(
    ({ name, hash }) => name === which || (/^[0-9a-f]{4,}$/.test(begins) && hash.startsWith(begins)),
  );
  const [only] = found;
  if (only === undefined)
    throw new NoSuchKeyError(isKey ? 'there is no such key' : `no key has the name or id ${which}`);
  if (found.length > 1) {
    const ids = found.map(({ hash }) => idOf(hash)).join(', ');
    throw new NoSuchKeyError(`${found.length} keys are meant by ${which}; say which by its id: ${ids}`);
  }
  return only;
}

function shownOf({ hash, ...rest }: KeyRecord, now: number): ShownKey {
  return { id: idOf(hash), ...rest, isExpired: rest.until !== undefined && rest.until <= now };
}

function idOf(hash: string): string {
  return hash.slice(0, ID_LENGTH);
}

function dayOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 10);
}
