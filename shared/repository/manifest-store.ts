import { ManifestInvalidError, ObjectNotFoundError } from './errors.ts';
import { type Manifest, modelKey } from './manifest.ts';
import type { ObjectStore } from './object-store.ts';

/** Everything the repository holds lies under this. */
export const REPOSITORY_PREFIX = 'models/';

/** Key of one file of a version. */
export function objectKey(model: { id: string; version: string }, path: string): string {
  return `${REPOSITORY_PREFIX}${model.id}/${model.version}/${path}`;
}

/** @throws ManifestInvalidError (also when it isn't there), StoreUnavailableError, StoreRefusedError */
export async function readManifest(
  store: Pick<ObjectStore, 'getText'>,
  model: { id: string; version: string },
): Promise<Manifest> {
  try {
    const text = store.getText(objectKey(model, 'manifest.json'));
    // What checks it comes while it is on its way.
    const [{ parseManifest }, read] = await Promise.all([import('./parse-manifest.ts'), text]);
    return parseManifest(read, model);
  } catch (thrown) {
    if (thrown instanceof ObjectNotFoundError) {
      const key = modelKey(model);
      throw new ManifestInvalidError(`there is no manifest of ${key}`, { model: key, cause: thrown });
    }
    throw thrown;
  }
}
