import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const page = join(import.meta.dirname, '..', 'functions', 'control', 'dashboard', 'page');

/** Bundles the dashboard's page, script and style into `folder`. @returns the files' names */
export async function bundleDashboard(folder: string): Promise<readonly string[]> {
  await build({
    entryPoints: [
      { in: join(page, 'main.ts'), out: 'dashboard' },
      { in: join(page, 'style.css'), out: 'dashboard' },
    ],
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    minify: true,
    banner: { js: '/* Includes uPlot, copyright (c) Leon Sorokin, MIT licence. */' },
    legalComments: 'none',
    logLevel: 'warning',
  });
  await copyFile(join(page, 'index.html'), join(folder, 'dashboard.html'));
  return ['dashboard.js', 'dashboard.css', 'dashboard.html'];
}
