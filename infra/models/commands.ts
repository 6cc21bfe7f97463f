import { randomUUID } from 'node:crypto';
import type { ActivationResult, ActiveVersions } from '../../shared/fleet/active-versions.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { REPOSITORY_PREFIX, readManifest } from '../../shared/repository/manifest-store.ts';
import type { PublishingStore } from '../../shared/repository/object-store.ts';
import { type PublishProgress, publishModel } from '../../shared/repository/publisher.ts';

/** What the commands work on. */
export interface Repository {
  readonly store: PublishingStore;
  readonly active: ActiveVersions;
}

export interface ListedModel {
  readonly id: string;
  /** Undefined when nothing is active. */
  readonly active: string | undefined;
  readonly previous: string | undefined;
  /** Every version that is published as a whole, sorted. */
  readonly versions: readonly string[];
}

export function publish(
  { store }: Repository,
  folder: string,
  onProgress?: (progress: PublishProgress) => void,
): Promise<Manifest> {
  return publishModel({ folder, store, ...(onProgress === undefined ? {} : { onProgress }) });
}

/**
 * Makes a published version the active one. One that is active already stays, with the change that made it so.
 * @throws ManifestInvalidError when there is no such version, VersionConflictError when somebody else changed it meanwhile
 */
export async function activate(
  { store, active }: Repository,
  id: string,
  version: string,
  by: string,
): Promise<ActivationResult> {
  await readManifest(store, { id, version });
  const current = await active.current(id);
  if (current?.version === version) {
    return { record: current, announced: true };
  }
  return active.activate({ id, version, by, request: randomUUID(), expectedSeq: current?.seq ?? 0 });
}

/** Makes a version the active one where none is yet: a deployment must not undo what an operator chose. */
export async function activateFirst(
  repository: Repository,
  id: string,
  version: string,
  by: string,
): Promise<ActivationResult | undefined> {
  const current = await repository.active.current(id);
  return current === undefined ? activate(repository, id, version, by) : undefined;
}

export async function list({ store, active }: Repository): Promise<ListedModel[]> {
  const { folders } = await store.list(REPOSITORY_PREFIX, { delimiter: '/' });
  const ids = folders.map((folder) => folder.slice(REPOSITORY_PREFIX.length, -1)).sort();
  return Promise.all(
    ids.map(async (id) => {
      const [{ objects }, record] = await Promise.all([store.list(`${REPOSITORY_PREFIX}${id}/`), active.current(id)]);
      const versions = objects.flatMap(({ key }) => {
        const [version, file, ...deeper] = key.slice(`${REPOSITORY_PREFIX}${id}/`.length).split('/');
        return version !== undefined && file === 'manifest.json' && deeper.length === 0 ? [version] : [];
      });
      return { id, active: record?.version, previous: record?.previous, versions: versions.sort() };
    }),
  );
}
