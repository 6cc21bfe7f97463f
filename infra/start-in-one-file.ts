import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * esbuild makes a file of each set of modules that the same entries share, and counts everything that is imported late as an entry: what a
 * start shares with some of it would be many small files. So each late part imports the start, which is there by then.
 * @param start the modules that bring all that is needed at once
 */
export function startInOneFile(start: readonly string[]): Plugin {
  return {
    name: 'start-in-one-file',
    setup(build) {
      const root = build.initialOptions.absWorkingDir ?? process.cwd();
      const late = new Set<string>();
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ kind, path, resolveDir }) => {
        if (kind === 'dynamic-import') late.add(resolve(resolveDir, path));
        return undefined;
      });
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!late.has(path)) return undefined;
        const imports = start.map((module) => `import ${JSON.stringify(resolve(root, module))};`);
        return { contents: [await readFile(path, 'utf8'), ...imports].join('\n'), loader: 'ts' };
      });
    },
  };
}
