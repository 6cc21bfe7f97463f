import { basename, join } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles a program of a benchmark to plain JavaScript, as the functions are bundled: what it measures is not the
 * loading of many files. @returns its path
 */
export async function bundleProgram(source: string, folder: string, external: readonly string[] = []): Promise<string> {
  const outfile = join(folder, `${basename(source, '.ts')}.mjs`);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: [...external],
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outfile;
}
