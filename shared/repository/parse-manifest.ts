import { ManifestInvalidError } from './errors.ts';
import { type Manifest, modelKey } from './manifest.ts';
import { manifestSchema } from './manifest-schema.ts';
import { describeIssues } from './schema-issues.ts';

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
