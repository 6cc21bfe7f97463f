import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { buildManifest, chooseFiles } from './build-manifest.ts';
import { DESCRIPTION, type Description, descriptionSchema } from './description.ts';
import { ObjectNotFoundError, PublishInvalidError, VersionConflictError } from './errors.ts';
import { isFileError } from './file-errors.ts';
import { type ModelConfigs, parseModelConfig } from './hugging-face-layout.ts';
import { type FileRole, type Manifest, type ManifestFile, modelKey } from './manifest.ts';
import { objectKey } from './manifest-store.ts';
import type { PublishingStore } from './object-store.ts';
import { parseManifest } from './parse-manifest.ts';
import { hashFile } from './prefix-hash.ts';
import { describeIssues } from './schema-issues.ts';

export interface PublishProgress {
  readonly file: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface PublishOptions {
  /** Holds `casalingua.json` and the model's files in the Hugging Face ONNX layout. */
  readonly folder: string;
  readonly store: PublishingStore;
  readonly onProgress?: (progress: PublishProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Publishes a folder as one immutable version: its files, then the manifest, which makes it a version. It can be repeated:
 * what is there already stays. It does not activate.
 * @throws PublishInvalidError, VersionConflictError when the version has other content, StoreUnavailableError,
 *   StoreRefusedError, or the signal's reason
 */
export async function publishModel(options: PublishOptions): Promise<Manifest> {
  const { folder, store, signal } = options;
  const manifest = await describeFolder(folder, signal);
  await compareWithPublished(manifest, store, signal);
  for (const file of manifest.files) {
    await publishFile(manifest, file, options);
  }
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const isOurs = await store.putText(objectKey(manifest, 'manifest.json'), text, cancellable(signal));
  if (!isOurs) {
    // Published before, or by somebody else in the meantime.
    await compareWithPublished(manifest, store, signal);
  }
  return manifest;
}

/**
 * The manifest that a folder would be published with: every file is hashed.
 * @throws PublishInvalidError, or the signal's reason
 */
export async function describeFolder(folder: string, signal?: AbortSignal): Promise<Manifest> {
  const description = await readDescription(folder);
  const paths = await filesBelow(folder);
  const files: ManifestFile[] = [];
  for (const [path, role] of chooseFiles(description, paths)) {
    signal?.throwIfAborted();
    files.push(await describeFile(folder, path, role));
  }
  return buildManifest(description, files, await readConfigs(folder, paths));
}

async function readDescription(folder: string): Promise<Description> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(join(folder, DESCRIPTION), 'utf8'));
  } catch (cause) {
    const what = isFileError(cause, 'ENOENT') ? 'is missing' : 'is not JSON';
    throw new PublishInvalidError(`${DESCRIPTION} ${what} in ${folder}`, { cause });
  }
  const result = descriptionSchema.safeParse(json);
  if (!result.success) {
    const told = describeIssues(result.error);
    throw new PublishInvalidError(`${DESCRIPTION} in ${folder} is not valid: ${told}`);
  }
  return result.data;
}

/** Relative paths with forward slashes, sorted; without hidden files and the description, which are not published. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path !== DESCRIPTION && !path.split('/').some((part) => part.startsWith('.')))
    .sort();
}

async function describeFile(folder: string, path: string, role: FileRole): Promise<ManifestFile> {
  const handle: FileHandle = await open(join(folder, path), 'r');
  try {
    const { size } = await handle.stat();
    return { path, size, sha256: await hashFile(handle), role };
  } finally {
    await handle.close();
  }
}

/** What the exporter wrote of the model. */
export async function readConfigs(folder: string, paths: readonly string[]): Promise<ModelConfigs> {
  const read = async (path: string) =>
    paths.includes(path) ? parseModelConfig(await readFile(join(folder, path), 'utf8')) : undefined;
  return {
    config: await read('config.json'),
    generation: await read('generation_config.json'),
    tokenizer: await read('tokenizer_config.json'),
  };
}

async function publishFile(manifest: Manifest, file: ManifestFile, options: PublishOptions): Promise<void> {
  const { folder, store, onProgress, signal } = options;
  const key = objectKey(manifest, file.path);
  const report = (bytesDone: number) => onProgress?.({ file: file.path, bytesDone, bytesTotal: file.size });
  if (!(await isPublished(manifest, file, store, signal))) {
    report(0);
    const put = { sha256: file.sha256, onProgress: report, ...cancellable(signal) };
    if (!(await store.putFile(key, join(folder, file.path), put))) {
      await isPublished(manifest, file, store, signal);
    }
  }
  report(file.size);
}

/** @throws VersionConflictError when another file lies there */
async function isPublished(
  manifest: Manifest,
  file: ManifestFile,
  store: PublishingStore,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const found = await store.head(objectKey(manifest, file.path), cancellable(signal));
  if (found === undefined) {
    return false;
  }
  if (found.size !== file.size || found.sha256 !== file.sha256) {
    throw conflict(manifest, `${file.path} is there already with other content`);
  }
  return true;
}

/** @throws VersionConflictError when the version exists and is another */
async function compareWithPublished(
  manifest: Manifest,
  store: PublishingStore,
  signal: AbortSignal | undefined,
): Promise<void> {
  let published: Manifest;
  try {
    const text = await store.getText(objectKey(manifest, 'manifest.json'), cancellable(signal));
    published = parseManifest(text, manifest);
  } catch (thrown) {
    if (thrown instanceof ObjectNotFoundError) {
      return;
    }
    throw thrown;
  }
  if (isDeepStrictEqual(published, manifest)) {
    return;
  }
  const before = new Map(published.files.map((file) => [file.path, file.sha256]));
  const changed = manifest.files.filter((file) => before.get(file.path) !== file.sha256).map((file) => file.path);
  throw conflict(
    manifest,
    changed.length > 0 ? `it has other content: ${changed.join(', ')}` : 'it is described otherwise',
  );
}

function conflict(manifest: Manifest, what: string): VersionConflictError {
  const model = modelKey(manifest);
  return new VersionConflictError(`${model} is published and ${what}; a version never changes, publish a new one`, {
    model,
  });
}

function cancellable(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
