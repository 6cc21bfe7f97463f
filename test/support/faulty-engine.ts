import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { CompiledEngine } from '../../shared/runtime/compiled-engine.ts';

const script = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

/** The engine with another script as its worker. */
export function withWorker(engine: CompiledEngine, worker: string): CompiledEngine {
  return { ...engine, worker: script(worker) };
}

/** The real worker and engine, in whose thread these statements run before a model is loaded; `module` is the engine's. */
export function withEngineChange(engine: CompiledEngine, statements: string): CompiledEngine {
  const glue = `
    import create from ${JSON.stringify(engine.glue.href)};
    export default async (options) => {
      const module = await create(options);
      { ${statements} }
      return module;
    };`;
  return { ...engine, glue: script(glue) };
}

/** The real engine with a heap that ends at so many MB instead of 4096. Its changed loader is written into `folder`. */
export async function withHeapOf(engine: CompiledEngine, megabytes: number, folder: string): Promise<CompiledEngine> {
  const glue = await readFile(engine.glue, 'utf8');
  const pages = megabytes * 16;
  const changed = glue.replace('maximum:65536', `maximum:${pages}`);
  if (changed === glue) throw new Error('onnxruntime-web makes its memory in another way: has its version changed?');
  const path = join(folder, `heap-of-${megabytes}.mjs`);
  await writeFile(path, changed);
  return { ...engine, glue: pathToFileURL(path) };
}
