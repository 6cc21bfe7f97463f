import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { importModel } from '../../infra/models/import/import-model.ts';
import { measureMemory } from '../../infra/models/profile/profile-model.ts';
import { writeClassifier } from '../support/classifier-export.ts';
import { heldModel } from '../support/local-health.ts';
import { postJson, startLocalRun } from '../support/local-run.ts';

/** MB of weights: much more than what a process's memory varies by. */
const WIDTH = 10_000;

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'casalingua-profile-memory-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

it.skipIf(!existsSync('/proc/self/status'))(
  'measures in its own process what the ledger of a function sees',
  async () => {
    await writeClassifier(join(work, 'export'), { width: WIDTH, labels: ['en', 'es', 'de'] });
    const folder = join(work, 'model');
    const { description } = await importModel(join(work, 'export'), folder, { id: 'big' });
    const { peakMb, residentMb } = await measureMemory(folder);
    await writeFile(
      join(folder, 'casalingua.json'),
      JSON.stringify({ ...description, memory: { peakMb: 2 * peakMb, residentMb: 2 * residentMb } }),
    );

    const stack = await startLocalRun({ modelFolders: [folder], instances: { inference: 1 } });
    try {
      expect((await fetch(`${stack.url}/languages`)).status).toBe(200);
      const pid = stack.instances().find(({ id }) => id.startsWith('inference'))?.pid;
      const memoryMb = (name: string) =>
        Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
      const baseMb = memoryMb('VmRSS');
      writeFileSync(`/proc/${pid}/clear_refs`, '5');

      expect((await postJson(`${stack.url}/detect`, { q: 'Where is the library?' })).status).toBe(200);

      const seenMb = memoryMb('VmHWM') - baseMb;
      const held = await heldModel(stack, 'big');
      console.info(`profile ${peakMb} and ${residentMb} MB, function ${seenMb.toFixed(0)} and ${held?.memory_mb} MB`);
      expect(Math.abs(peakMb / seenMb - 1)).toBeLessThan(0.1);
      expect(Math.abs(residentMb / (held?.memory_mb ?? 0) - 1)).toBeLessThan(0.1);
    } finally {
      await stack.close();
    }
  },
);
