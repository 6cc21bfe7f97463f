import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type OrtModule, startOrtModule } from '../../shared/runtime/engine/ort-module.ts';

/** The engine as the package has it, in this thread. */
export async function startEngine(): Promise<OrtModule> {
  const glue = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs');
  const compiled = await WebAssembly.compile(await readFile(glue.replace(/\.mjs$/, '.wasm')));
  return startOrtModule(pathToFileURL(glue), compiled, 1);
}
