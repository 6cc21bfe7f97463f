import { copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { checkConfigFile } from '../shared/config/check-config-file.ts';
import { SettingsInvalidError } from '../shared/config/errors.ts';
import { CHECKED_CONFIG_FILE_NAME, findConfigFile } from '../shared/config/find-config-file.ts';
import { bundleDashboard } from './bundle-dashboard.ts';
import { encodeOnnx } from './models/onnx/encode-onnx.ts';
import { rehearsalGraph } from './models/rehearsal-graph.ts';
import { writeDescription } from './openapi/write-description.ts';
import { type FunctionName, functionNames } from './routes.ts';
import { startInOneFile } from './start-in-one-file.ts';

export interface BundledFunction {
  readonly name: FunctionName;
  /** Everything that the deployed function consists of; its handler is `index.handler`. */
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

interface FunctionSource {
  readonly entries: Readonly<Record<string, string>>;
  /** What the index imports at once, where a start counts. */
  readonly start?: readonly string[];
  /** Files that the bundle loads by name at run time, so they lie beside it as they are. */
  readonly copied: readonly string[];
  /** Puts what is neither code nor a copy beside the bundle, and tells the files' names. */
  readonly made?: (folder: string) => Promise<readonly string[]>;
}

const root = join(import.meta.dirname, '..');

const buildOptions = {
  absWorkingDir: root,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // What is imported late is a file of its own.
  splitting: true,
  chunkNames: 'chunk-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // The SDK's ES modules: smaller, and without CommonJS's require.
  mainFields: ['module', 'main'],
  minify: true,
  // Node prints the line that an error stands in.
  lineLimit: 200,
  legalComments: 'none',
  logLevel: 'warning',
} satisfies BuildOptions;

/**
 * Bundles every function into `<outFolder>/<name>`. The local run, the tests and the stack take the very same files, so
 * what was tested is what is deployed.
 * @throws SettingsInvalidError for what is wrong with the configuration file
 */
export async function bundleFunctions(outFolder: string): Promise<readonly BundledFunction[]> {
  return Promise.all(functionNames.map((name) => bundleFunction(name, join(outFolder, name))));
}

/** The worker of models alone, with the engine beside it, as `compileEngine` wants them. */
export async function bundleModelWorker(folder: string): Promise<void> {
  const { entries, copied } = sources().inference;
  await mkdir(folder, { recursive: true });
  await build({ ...buildOptions, entryPoints: { worker: entries['worker'] as string }, outdir: folder });
  for (const file of copied) await copyFile(file, join(folder, basename(file)));
  await writeRehearsal(folder);
}

async function bundleFunction(name: FunctionName, folder: string): Promise<BundledFunction> {
  const { entries, start, copied, made } = sources()[name];
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // One by one: what two programs share would be files of its own, and a start pays for each file.
  const built = await Promise.all(
    Object.entries(entries).map(([entry, source]) =>
      build({
        ...buildOptions,
        metafile: true,
        entryPoints: { [entry]: source },
        outdir: folder,
        ...(start === undefined || entry !== 'index' ? {} : { plugins: [startInOneFile(start)] }),
      }),
    ),
  );
  for (const file of copied) await copyFile(file, join(folder, basename(file)));
  await writeConfiguration(folder);
  const more = (await made?.(folder)) ?? [];
  const outputs = built.flatMap(({ metafile }) => Object.keys(metafile.outputs));
  const written = [...outputs, ...copied, CHECKED_CONFIG_FILE_NAME, ...more];
  const files = [...new Set(written.map((file) => basename(file)))];
  return {
    name,
    folder,
    files: await Promise.all(files.map(async (file) => ({ name: file, bytes: (await stat(join(folder, file))).size }))),
  };
}

/** Checked here, so that no start has to. */
async function writeConfiguration(folder: string): Promise<void> {
  const found = findConfigFile({}, pathToFileURL(join(root, 'shared', 'config', '/')));
  const checked = 'problems' in found || found.value === undefined ? found : checkConfigFile(found.value);
  if ('problems' in checked) throw new SettingsInvalidError(checked.problems.join('; '));
  await writeFile(join(folder, CHECKED_CONFIG_FILE_NAME), JSON.stringify(checked.value ?? {}));
}

function sources(): Readonly<Record<FunctionName, FunctionSource>> {
  const engine = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  return {
    inference: {
      entries: { index: 'functions/inference/index.ts', worker: 'shared/runtime/worker.ts' },
      start: ['shared/config/read-settings-late.ts', 'functions/inference/beginnings.ts'],
      copied: ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'].map((file) => join(engine, file)),
      made: writeRehearsal,
    },
    control: { entries: { index: 'functions/control/index.ts' }, copied: [], made: writePages },
    monitor: { entries: { index: 'functions/monitor/index.ts' }, copied: [] },
  };
}

async function writePages(folder: string): Promise<readonly string[]> {
  return (await Promise.all([bundleDashboard(folder), writeDescription(folder)])).flat();
}

async function writeRehearsal(folder: string): Promise<readonly string[]> {
  const name = 'rehearsal.onnx';
  await writeFile(join(folder, name), encodeOnnx(rehearsalGraph()));
  return [name];
}
