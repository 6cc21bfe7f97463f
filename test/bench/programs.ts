import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Bundles a program of a benchmark to plain JavaScript, as the functions are bundled: what it measures is not the
 * loading of many files.
 * @param external packages that are not bundled
 * @param instead files that stand in for others, by their absolute paths
 * @returns its path
 */
export async function bundleProgram(
  source: string,
  folder: string,
  external: readonly string[] = [],
  instead: Readonly<Record<string, string>> = {},
): Promise<string> {
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
    plugins: [replace(instead)],
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  return outfile;
}

function replace(instead: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'replace',
    setup({ onLoad }) {
      for (const [file, other] of Object.entries(instead)) {
        const filter = new RegExp(`${basename(file).replaceAll('.', '\\.')}$`);
        onLoad({ filter }, async ({ path }) =>
          path === file ? { contents: await readFile(other, 'utf8'), loader: 'ts' } : undefined,
        );
      }
    },
  };
}
