import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A run of the engine that was made to fail. */
export interface FailedRun {
  readonly pid: number;
  /** Wall clock, ms since the epoch. */
  readonly from: number;
  readonly until: number;
}

export interface SwitchedBundle {
  /** The inference function's bundle, to be served as it is. */
  readonly folder: string;
  /** From now on every run fails, of those models that have several graphs, after so many ms. */
  fail(afterMs?: number): Promise<void>;
  heal(): Promise<void>;
  /** Since the last `fail`. */
  failedRuns(): readonly FailedRun[];
  remove(): Promise<void>;
}

const glueName = 'ort-wasm-simd-threaded.mjs';

/** The inference function's bundle in a new folder, or in `to`, with the real worker and an engine whose runs can be made to fail. */
export async function copyWithSwitch(bundle: string, to?: string): Promise<SwitchedBundle> {
  const folder = to ?? (await mkdtemp(join(tmpdir(), 'casalingua-switched-')));
  const fault = join(folder, 'the-engine-fails');
  const runs = join(folder, 'failed-runs');
  await cp(bundle, folder, { recursive: true });
  await rename(join(folder, glueName), join(folder, 'engine.mjs'));
  await writeFile(join(folder, glueName), glue(fault, runs));
  return {
    folder,
    async fail(afterMs = 0) {
      await rm(runs, { force: true });
      await writeFile(fault, String(afterMs));
    },
    heal: () => rm(fault),
    failedRuns() {
      if (!existsSync(runs)) return [];
      const lines = readFileSync(runs, 'utf8').trim().split('\n');
      return lines.map((line) => JSON.parse(line) as FailedRun);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function glue(fault: string, runs: string): string {
  return `import { appendFileSync, existsSync, readFileSync } from 'node:fs';
    import create from './engine.mjs';
    export default async (options) => {
      const module = await create(options);
      const { _OrtCreateSession: createSession, _OrtRun: run } = module;
      let graphs = 0;
      module._OrtCreateSession = (...given) => {
        graphs += 1;
        return createSession(...given);
      };
      module._OrtRun = (...given) => {
        if (graphs < 2 || !existsSync(${JSON.stringify(fault)})) return run(...given);
        const from = Date.now();
        const afterMs = Number(readFileSync(${JSON.stringify(fault)}, 'utf8'));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, afterMs);
        const line = JSON.stringify({ pid: process.pid, from, until: Date.now() });
        appendFileSync(${JSON.stringify(runs)}, line + '\\n');
        return 1;
      };
      return module;
    };`;
}
