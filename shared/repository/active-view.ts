import type { Pin } from '../config/pin.ts';
import type { CasaLinguaError } from '../errors.ts';
import type { ActiveVersion } from './active-version-reader.ts';
import { UnknownModelError } from './errors.ts';

/** What is known of the fleet's choice. Plain data: the catalog replaces it as a whole. */
export interface ActiveView {
  readonly versions: ReadonlyMap<string, ActiveVersion>;
}

export const EMPTY_VIEW: ActiveView = { versions: new Map() };

/** The newer of what was known and what was read, model by model: an eventually consistent read may be the older. */
export function mergeViews(known: ActiveView, read: ReadonlyMap<string, ActiveVersion>): ActiveView {
  const versions = new Map(known.versions);
  for (const [id, version] of read) {
    if (version.seq >= (versions.get(id)?.seq ?? 0)) {
      versions.set(id, version);
    }
  }
  return { versions };
}

/**
 * The version to serve: a hard pin, else the fleet's choice, else a soft pin.
 * Without any: `storeError` if the store could not be asked, UnknownModelError if it has none.
 */
export function chooseVersion(
  id: string,
  pin: Pin | undefined,
  view: ActiveView,
  storeError: CasaLinguaError | undefined,
): { version: string } | { error: CasaLinguaError } {
  if (pin?.hard) {
    return { version: pin.version };
  }
  const version = view.versions.get(id)?.version ?? pin?.version;
  if (version !== undefined) {
    return { version };
  }
  return { error: storeError ?? new UnknownModelError(`no version of ${id} is active`, { model: id }) };
}
