import { existsSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What the thread of one model does when it comes to that place; every time, until another fault is set. */
export interface ThreadFault {
  readonly model: string;
  /** `start`: when its engine starts, while the files arrive. `create`: in session creation. `run`: in an inference. */
  readonly at: 'start' | 'create' | 'run';
  readonly what: 'exit' | 'hang';
}

export interface FaultyBundle {
  /** The inference function's bundle, to be served as it is. */
  readonly folder: string;
  /** From now on; undefined: all threads are well. */
  set(fault: ThreadFault | undefined): void;
  /** Resolves when a thread has come to the place of a fault. */
  reached(): Promise<void>;
  /** Engines that start from now on have a heap that ends there; undefined: at 4096 MB. */
  limitHeap(megabytes: number | undefined): void;
  remove(): Promise<void>;
}

const glueName = 'ort-wasm-simd-threaded.mjs';

/**
 * A copy of the inference function's bundle with the real worker and engine, in whose threads faults happen as they are
 * set: scripts of the test lie around both.
 */
export async function copyWithFaults(bundle: string): Promise<FaultyBundle> {
  const folder = await mkdtemp(join(tmpdir(), 'casalingua-faulty-'));
  const inFolder = (name: string) => join(folder, name);
  const faultFile = inFolder('fault.json');
  const reachedFile = inFolder('reached');
  await cp(bundle, folder, { recursive: true });
  await rename(inFolder('worker.mjs'), inFolder('real-worker.mjs'));
  await rename(inFolder(glueName), inFolder('real-glue.mjs'));
  const glue = await readFile(inFolder('real-glue.mjs'), 'utf8');
  await writeFile(inFolder('fault.mjs'), faultScript(faultFile, reachedFile));
  // Both in one step, so that no message comes before somebody listens.
  await writeFile(inFolder('worker.mjs'), "import './fault.mjs';\nimport './real-worker.mjs';\n");
  await writeFile(inFolder(glueName), glueScript);
  const faults: { thread?: ThreadFault; glue?: string } = {};
  const save = () => writeFileSync(faultFile, JSON.stringify(faults));
  save();
  return {
    folder,
    set(fault) {
      if (fault === undefined) delete faults.thread;
      else faults.thread = fault;
      save();
    },
    async reached() {
      while (!existsSync(reachedFile)) await delay(10);
    },
    limitHeap(megabytes) {
      delete faults.glue;
      if (megabytes !== undefined) {
        const name = `glue-of-${megabytes}.mjs`;
        const changed = glue.replace('maximum:65536', `maximum:${megabytes * 16}`);
        if (changed === glue)
          throw new Error('onnxruntime-web makes its memory in another way: has its version changed?');
        writeFileSync(inFolder(name), changed);
        faults.glue = name;
      }
      save();
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** In the worker's thread: which model it is, and what happens to it. */
function faultScript(faultFile: string, reachedFile: string): string {
  return `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { parentPort } from 'node:worker_threads';
    let model;
    parentPort.on('message', (message) => {
      if (message.type === 'load') model = message.manifest.id;
    });
    export const faults = () => JSON.parse(readFileSync(${JSON.stringify(faultFile)}, 'utf8'));
    export function reach(place) {
      const { thread } = faults();
      const isMeant = thread?.at === place && (place === 'start' || thread.model === model);
      if (!isMeant) return;
      writeFileSync(${JSON.stringify(reachedFile)}, place);
      if (thread.what === 'exit') process.exit(9);
      for (;;);
    }`;
}

/** Around the engine. */
const glueScript = `
  import { faults, reach } from './fault.mjs';
  export default async (options) => {
    reach('start');
    const { default: create } = await import('./' + (faults().glue ?? 'real-glue.mjs'));
    const module = await create(options);
    for (const [name, place] of [['_OrtCreateSession', 'create'], ['_OrtRun', 'run']]) {
      const real = module[name];
      module[name] = (...given) => {
        reach(place);
        return real(...given);
      };
    }
    return module;
  };`;
