import { randomUUID } from 'node:crypto';
import { activateVersion } from '../../shared/fleet/activate-version.ts';
import type {
  ActivationFence,
  ActivationResult,
  ActiveVersionRecord,
  ActiveVersions,
} from '../../shared/fleet/active-versions.ts';
import { UnknownModelError, UnknownVersionError } from '../../shared/repository/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { REPOSITORY_PREFIX, readManifest } from '../../shared/repository/manifest-store.ts';
import type { PublishingStore, RemovingStore } from '../../shared/repository/object-store.ts';
import { publishedVersions } from '../../shared/repository/published-versions.ts';
import { type PublishProgress, publishModel } from '../../shared/repository/publisher.ts';
import { NothingToRollBackError } from './errors.ts';

/** What the commands work on. */
export interface Repository {
  readonly store: PublishingStore & RemovingStore;
  readonly active: ActiveVersions & ActivationFence;
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
 * @throws UnknownVersionError, ManifestInvalidError, VersionConflictError when somebody else changed it meanwhile
 */
export function activate(repository: Repository, id: string, version: string, by: string): Promise<ActivationResult> {
  return activateVersion(repository, { id, version, by, request: randomUUID() });
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

/**
 * Makes the version active again that was so before this one.
 * @throws NothingToRollBackError, UnknownVersionError when it has been removed, VersionConflictError when somebody else changed
 *   it meanwhile
 */
export async function rollback(repository: Repository, id: string, by: string): Promise<ActivationResult> {
  const current = await repository.active.current(id);
  if (current?.previous === undefined) {
    const state = current === undefined ? 'nothing is active' : `${current.version} is the first that was active`;
    throw new NothingToRollBackError(`${id} cannot go back: ${state}`, { model: id });
  }
  const wanted = { id, version: current.previous, by, request: randomUUID(), expectedSeq: current.seq };
  return activateVersion(repository, wanted);
}

export interface ShownModel extends ListedModel {
  /** Who made it active, when, and how often it has changed. */
  readonly activation: (Pick<ActiveVersionRecord, 'seq' | 'by'> & { readonly at: string }) | undefined;
  /** Of the version that was asked for, or else of the active one. */
  readonly manifest: Manifest | undefined;
}

/** @throws UnknownModelError, UnknownVersionError, ManifestInvalidError, StoreUnavailableError, StoreRefusedError */
export async function show({ store, active }: Repository, id: string, version?: string): Promise<ShownModel> {
  const [versions, record] = await Promise.all([publishedVersions(store, id), active.current(id)]);
  if (versions.length === 0 && record === undefined)
    throw new UnknownModelError(`there is no model ${id}`, { model: id });
  if (version !== undefined && !versions.includes(version)) {
    throw new UnknownVersionError(`there is no version ${version} of ${id}`, { model: id });
  }
  const wanted = version ?? record?.version ?? versions.at(-1);
  const activation = record && { seq: record.seq, by: record.by, at: new Date(record.at).toISOString() };
  const manifest = wanted === undefined ? undefined : await readManifest(store, { id, version: wanted });
  return { id, active: record?.version, previous: record?.previous, versions, activation, manifest };
}

export async function list({ store, active }: Repository): Promise<ListedModel[]> {
  const { folders } = await store.list(REPOSITORY_PREFIX, { delimiter: '/' });
  const ids = folders.map((folder) => folder.slice(REPOSITORY_PREFIX.length, -1)).sort();
  return Promise.all(
    ids.map(async (id) => {
      const [versions, record] = await Promise.all([publishedVersions(store, id), active.current(id)]);
      return { id, active: record?.version, previous: record?.previous, versions };
    }),
  );
}
