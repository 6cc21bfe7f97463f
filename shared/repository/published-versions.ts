import { REPOSITORY_PREFIX } from './manifest-store.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Every version of a model that is published as a whole, sorted: its manifest is written last. None where there is no such model.
 * @throws StoreUnavailableError, StoreRefusedError, or the signal's reason
 */
export async function publishedVersions(
  store: Pick<ObjectStore, 'list'>,
  id: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<readonly string[]> {
  const prefix = `${REPOSITORY_PREFIX}${id}/`;
  const { objects } = await store.list(prefix, options);
  const versions = objects.flatMap(({ key }) => {
    const [version, file, ...deeper] = key.slice(prefix.length).split('/');
    return version !== undefined && file === 'manifest.json' && deeper.length === 0 ? [version] : [];
  });
  return versions.sort();
}
