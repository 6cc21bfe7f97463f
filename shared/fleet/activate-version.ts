import {
  ManifestInvalidError,
  ObjectNotFoundError,
  UnknownVersionError,
  VersionConflictError,
} from '../repository/errors.ts';
import { modelKey } from '../repository/manifest.ts';
import { readManifest } from '../repository/manifest-store.ts';
import type { ObjectStore } from '../repository/object-store.ts';
import type { ActivationResult, ActiveVersions } from './active-versions.ts';

/** What an operator wants to be active. */
export interface WantedVersion {
  readonly id: string;
  readonly version: string;
  readonly by: string;
  /** Unique to this wish, and the same over every repetition of it. */
  readonly request: string;
  /** The change that the operator has seen; left out: whatever is there now. */
  readonly expectedSeq?: number | undefined;
}

export interface VersionActivation extends ActivationResult {
  /** False: it was active already, and stays so with the change that made it so. */
  readonly changed: boolean;
}

/**
 * Makes a published version the active one.
 * @throws UnknownVersionError, ManifestInvalidError when the version is damaged, VersionConflictError when somebody else changed
 *   it meanwhile, StoreUnavailableError, StoreRefusedError
 */
export async function activateVersion(
  { store, active }: { readonly store: ObjectStore; readonly active: Pick<ActiveVersions, 'activate' | 'current'> },
  { id, version, by, request, expectedSeq }: WantedVersion,
): Promise<VersionActivation> {
  // In this order: whoever removes a version deletes its manifest first, and then raises the number of the change.
  const current = await active.current(id);
  await checkPublished(store, { id, version });
  const seq = current?.seq ?? 0;
  if (expectedSeq !== undefined && expectedSeq !== seq) {
    throw new VersionConflictError(`${id} is at change ${seq}, not ${expectedSeq}`, { model: id });
  }
  if (current?.version === version) return { record: current, announced: true, changed: false };
  return { ...(await active.activate({ id, version, by, request, expectedSeq: seq })), changed: true };
}

async function checkPublished(store: ObjectStore, model: { id: string; version: string }): Promise<void> {
  try {
    await readManifest(store, model);
  } catch (thrown) {
    if (!(thrown instanceof ManifestInvalidError && thrown.cause instanceof ObjectNotFoundError)) throw thrown;
    throw new UnknownVersionError(`there is no version ${model.version} of ${model.id}`, {
      model: modelKey(model),
      cause: thrown,
    });
  }
}
