import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { writeClassifier } from '../support/classifier-export.ts';

/** 600 MB of weights in one protobuf file. */
const WIDTH = 25_000;

it.skipIf(!existsSync('/proc/self/status'))(
  'imports 600 MB of weights with 64 MB of JavaScript heap, and hardly more of other memory',
  async () => {
    const work = await mkdtemp(join(tmpdir(), 'casalingua-import-memory-'));
    try {
      await writeClassifier(join(work, 'export'), { width: WIDTH });
      const run = ['--max-old-space-size=64', '--import', 'tsx', join(import.meta.dirname, 'import-memory-child.ts')];

      const { stdout } = await promisify(execFile)(process.execPath, [...run, join(work, 'export'), join(work, 'out')]);

      const { weightBytes, peakMb } = JSON.parse(stdout);
      expect(weightBytes).toBeGreaterThan(570 * 2 ** 20);
      // Node, the compiler of TypeScript and the SDK take most of it.
      expect(peakMb).toBeLessThan(300);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
);
