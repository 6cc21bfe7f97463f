import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { folders } from './folders.ts';

/**
 * Installs what the benchmarks compare with, at its first use and whenever its lockfile has changed. Without install
 * scripts: they would fetch a CUDA build.
 */
export async function installPeers(onProgress: (line: string) => void): Promise<void> {
  const wanted = await readFile(join(folders.peers, 'package-lock.json'), 'utf8');
  // Written last, so that an install that was broken off is made again.
  const installedPath = join(folders.peers, 'node_modules', '.installed-lock.json');
  const installed = await readFile(installedPath, 'utf8').catch(() => undefined);
  if (installed === wanted) return;
  onProgress('installing the peers into test/bench/peers (about 500 MB, once)');
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folders.peers,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new Error(`npm ci in ${folders.peers} ended with ${code}`);
  await writeFile(installedPath, wanted);
}
