import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ObjectNotFoundError } from '../../shared/repository/errors.ts';
import { type Manifest, runtimeFiles } from '../../shared/repository/manifest.ts';
import type { PublishingStore } from '../../shared/repository/object-store.ts';
import { publishModel } from '../../shared/repository/publisher.ts';
import { type CompiledEngine, compileEngine } from '../../shared/runtime/compiled-engine.ts';

const root = join(import.meta.dirname, '..', '..');

const built = (id: string) => join(root, 'build', 'models', id);

/** The models that come with the project, as the tests' set-up has built them. */
export const modelFolder = {
  'translate-en-es': built('translate-en-es'),
  'translate-es-en': built('translate-es-en'),
  'language-detection': built('language-detection'),
} as const;

/** What `translate-en-es` is built from, as it was exported. */
export const exportedFolder = join(root, 'infra', 'models', 'translate-en-es');

/** A model on this machine's disk. */
export interface ModelOnDisk {
  readonly manifest: Manifest;
  /** Absolute path of each file that the runtime needs, by its path in the manifest. */
  readonly files: ReadonlyMap<string, string>;
}

/** The manifest that publishing a folder makes, with the files where they lie. */
export async function modelOnDisk(folder: string): Promise<ModelOnDisk> {
  const manifest = await publishModel({ folder, store: storeThatKeepsNothing });
  return { manifest, files: new Map(runtimeFiles(manifest).map(({ path }) => [path, join(folder, path)])) };
}

/** The engine and worker as they are deployed. */
export function deployedEngine(): CompiledEngine {
  return compileEngine(pathToFileURL(join(root, 'build', 'functions', 'inference', '/')), 1);
}

const notFound = (key: string): never => {
  throw new ObjectNotFoundError(`nothing is kept under ${key}`);
};

const storeThatKeepsNothing: PublishingStore = {
  head: async () => undefined,
  getText: async (key) => notFound(key),
  getRange: async (key) => notFound(key),
  list: async () => ({ objects: [], folders: [] }),
  putFile: async () => true,
  putText: async () => true,
  renewConnections: () => undefined,
};
