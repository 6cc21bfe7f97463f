import { copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { CONFIG_FILE_NAME } from '../shared/config/find-config-file.ts';
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
}

const root = join(import.meta.dirname, '..');
/** The functions read it at start. */
const configuration = join(root, 'shared', 'config', CONFIG_FILE_NAME);

/**
 * Bundles every function into `<outFolder>/<name>`. The local run, the tests and the stack take the very same files, so
 * what was tested is what is deployed.
 */
export async function bundleFunctions(outFolder: string): Promise<readonly BundledFunction[]> {
  return Promise.all(functionNames.map((name) => bundleFunction(name, join(outFolder, name))));
}

async function bundleFunction(name: FunctionName, folder: string): Promise<BundledFunction> {
  const { entries, copied } = sources()[name];
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported late is a file of its own.
    splitting: true,
    chunkNames: 'chunk-[hash]',
    metafile: true,
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
  });
  for (const file of copied) await copyFile(file, join(folder, basename(file)));
  const files = [...Object.keys(metafile.outputs), ...copied].map((file) => basename(file));
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
    control: { entries: { index: 'functions/control/index.ts' }, copied: [configuration] },
    monitor: { entries: { index: 'functions/monitor/index.ts' }, copied: [configuration] },
  };
}
