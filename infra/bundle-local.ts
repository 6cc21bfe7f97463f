import { join } from 'node:path';
import { build } from 'esbuild';

/** Programs that the local run starts as processes of their own, where start time counts. */
export interface LocalPrograms {
  readonly runtime: string;
  readonly reaper: string;
}

/** Bundles `infra/local/lambda-runtime.ts` and the reaper to plain JavaScript in `folder`. */
export async function bundleLocalPrograms(folder: string): Promise<LocalPrograms> {
  const local = join(import.meta.dirname, 'local');
  await build({
    entryPoints: {
      'lambda-runtime': join(local, 'lambda-runtime.ts'),
      reaper: join(local, 'front', 'reaper-process.ts'),
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  return { runtime: join(folder, 'lambda-runtime.mjs'), reaper: join(folder, 'reaper.mjs') };
}
