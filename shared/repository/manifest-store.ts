import { ManifestInvalidError, ObjectNotFoundError } from './errors.ts';
import { type Manifest, manifestSchema, modelKey } from './manifest.ts';
import type { ObjectStore } from './object-store.ts';
import { describeIssues } from './schema-issues.ts';

/** Everything the repository holds lies under this. */
export const REPOSITORY_PREFIX = 'models/';

/** Key of one file of a version. */
export function objectKey(model: { id: string; version: string }, path: string): string {
  return `${REPOSITORY_PREFIX}${model.id}/${model.version}/${path}`;
}

/**
 * Checks a manifest's text against its schema and against the place where it lay.
 * @throws ManifestInvalidError
 */
export function parseManifest(text: string, model: { id: string; version: string }): Manifest {
  const key = modelKey(model);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ManifestInvalidError(`the manifest of ${key} is not JSON`, { model: key, cause });
  }
  const result = manifestSchema.safeParse(json);
  if (!result.success) {
    const told = describeIssues(result.error);
    throw new ManifestInvalidError(`the manifest of ${key} is not valid: ${told}`, { model: key });
  }
  const manifest = result.data;
  if (modelKey(manifest) !== key) {
    throw new ManifestInvalidError(`the manifest of ${key} says it is ${modelKey(manifest)}`, { model: key });
  }
  const paths = new Set(manifest.files.map((file) => file.path.toLowerCase()));
  if (paths.size !== manifest.files.length) {
    throw new ManifestInvalidError(`the manifest of ${key} names a file twice`, { model: key });
  }
  return manifest;
}

/** @throws ManifestInvalidError (also when it isn't there), StoreUnavailableError, StoreRefusedError */
export async function readManifest(
  store: ObjectStore,
  model: { id: string; version: string },
  options: { signal?: AbortSignal } = {},
): Promise<Manifest> {
  try {
    return parseManifest(await store.getText(objectKey(model, 'manifest.json'), options), model);
  } catch (thrown) {
    if (thrown instanceof ObjectNotFoundError) {
      const key = modelKey(model);
      throw new ManifestInvalidError(`there is no manifest of ${key}`, { model: key, cause: thrown });
    }
    throw thrown;
  }
}
