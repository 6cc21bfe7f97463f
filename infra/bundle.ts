import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { CONFIG_FILE_NAME } from '../shared/config/find-config-file.ts';
import { bundleDashboard } from './bundle-dashboard.ts';
import { writeDescription } from './openapi/write-description.ts';
import { type FunctionName, functionNames } from './routes.ts';

export interface BundledFunction {
  readonly name: FunctionName;
  /** Everything that the deployed function consists of; its handler is `index.handler`. */
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

interface FunctionSource {
  readonly entries: Readonly<Record<string, string>>;
  /** Files that the bundle loads by name at run time, so they lie beside it as they are. */
  readonly copied: readonly string[];
  /** Puts what is shown in a browser beside the bundle, and tells the files' names. */
  readonly pages?: (folder: string) => Promise<readonly string[]>;
}

const root = join(import.meta.dirname, '..');
/** The functions read it at start. */
const configuration = join(root, 'shared', 'config', CONFIG_FILE_NAME);

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
}

async function bundleFunction(name: FunctionName, folder: string): Promise<BundledFunction> {
  const { entries, copied, pages } = sources()[name];
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({ ...buildOptions, metafile: true, entryPoints: { ...entries }, outdir: folder });
  for (const file of copied) await copyFile(file, join(folder, basename(file)));
  const shown = (await pages?.(folder)) ?? [];
  const files = [...Object.keys(metafile.outputs), ...copied, ...shown].map((file) => basename(file));
  return {
    name,
    folder,
    files: await Promise.all(files.map(async (file) => ({ name: file, bytes: (await stat(join(folder, file))).size }))),
  };
}

function sources(): Readonly<Record<FunctionName, FunctionSource>> {
  const engine = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  return {
    inference: {
      entries: { index: 'functions/inference/index.ts', worker: 'shared/runtime/worker.ts' },
      copied: [
        ...['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'].map((file) => join(engine, file)),
        configuration,
      ],
    },
    control: { entries: { index: 'functions/control/index.ts' }, copied: [configuration], pages: showPages },
    monitor: { entries: { index: 'functions/monitor/index.ts' }, copied: [configuration] },
  };
}

async function showPages(folder: string): Promise<readonly string[]> {
  return (await Promise.all([bundleDashboard(folder), writeDescription(folder)])).flat();
}
