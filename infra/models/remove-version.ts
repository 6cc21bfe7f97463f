import { randomUUID } from 'node:crypto';
import type { ActivationFence, ActiveVersionRecord, ActiveVersions } from '../../shared/fleet/active-versions.ts';
import { UnknownVersionError, VersionConflictError } from '../../shared/repository/errors.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { objectKey } from '../../shared/repository/manifest-store.ts';
import type { PublishingStore, RemovingStore } from '../../shared/repository/object-store.ts';
import { VersionInUseError } from './errors.ts';

export interface RemoveDeps {
  readonly store: PublishingStore & RemovingStore;
  readonly active: Pick<ActiveVersions, 'current'> & ActivationFence;
  /** Versions that the deployment pins, by model. */
  readonly pins: ReadonlyMap<string, { readonly version: string }>;
}

export interface RemovedVersion {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Takes a version out of the repository: its manifest first, so that it never looks whole.
 * @param force removes also the version before the active one, to which a rollback would go, and what an attempt left that ended
 *   before; no two may do so at once
 * @throws VersionInUseError, UnknownVersionError, VersionConflictError when it was activated meanwhile: it stays, whole
 */
export async function removeVersion(
  { store, active, pins }: RemoveDeps,
  model: { readonly id: string; readonly version: string },
  { force = false } = {},
): Promise<RemovedVersion> {
  const key = modelKey(model);
  const manifestKey = objectKey(model, 'manifest.json');
  const refuse = (why: string): never => {
    throw new VersionInUseError(`${key} ${why}`, { model: key });
  };
  if (pins.get(model.id)?.version === model.version) refuse('is pinned by CASALINGUA_PINS');
  const before = await active.current(model.id);
  if (before?.version === model.version) refuse('is the active version: activate another first');
  if (before?.previous === model.version && !force)
    refuse('is the one that a rollback goes back to: --force removes it');
  const { objects } = await store.list(objectKey(model, ''));
  if (objects.length === 0)
    throw new UnknownVersionError(`there is no version ${model.version} of ${model.id}`, { model: key });
  const isWhole = objects.some((object) => object.key === manifestKey);
  if (!isWhole && !force)
    refuse('has no manifest: somebody publishes or removes it, or has not ended doing so; --force removes it');
  const manifest = isWhole ? await store.getText(manifestKey) : undefined;
  if (isWhole) await store.delete(manifestKey);
  if (!(await isFenced(active, model, before))) {
    if (manifest !== undefined) await store.putText(manifestKey, manifest);
    throw new VersionConflictError(`${key} was made active at this moment: it stays`, { model: key });
  }
  for (const object of objects) if (object.key !== manifestKey) await store.delete(object.key);
  return { files: objects.length, bytes: objects.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * Whoever activates reads the record, then the manifest, and then writes on condition that the record is the same. So once the
 * manifest is gone and the record's number is raised, nobody who saw the manifest can make the version active any more.
 * A model of which nothing was ever active has no such record: there two operators have to agree by themselves.
 * @returns false when somebody was faster, and the version is active
 */
async function isFenced(
  active: RemoveDeps['active'],
  { id, version }: { readonly id: string; readonly version: string },
  before: ActiveVersionRecord | undefined,
): Promise<boolean> {
  let record = before ?? (await active.current(id));
  while (record !== undefined && record.version !== version) {
    try {
      await active.fence({ id, request: randomUUID(), expectedSeq: record.seq });
      return true;
    } catch (thrown) {
      if (!(thrown instanceof VersionConflictError)) throw thrown;
      record = await active.current(id);
    }
  }
  return record === undefined;
}
