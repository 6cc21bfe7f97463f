import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The engine that is installed here, which is the one that is deployed. */
export function engineFiles(): { readonly glue: URL; readonly wasm: URL; readonly version: string } {
  const require = createRequire(import.meta.url);
  const glue = require.resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs');
  const { version } = require(join(dirname(glue), '..', 'package.json')) as { version: string };
  return {
    glue: pathToFileURL(glue),
    wasm: pathToFileURL(require.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')),
    version,
  };
}
