import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const child = join(import.meta.dirname, 'engine-tiers-child.ts');

/** Twenty sentences after a cold start make V8 optimise some 140 of the engine's functions; with the budget of Node 20 it was 330. */
it("what a load calls a few times is not optimised, as Node 24's V8 has it by itself", async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--trace-wasm-compilation-times', '--import', 'tsx', child],
    { maxBuffer: 2 ** 26 },
  );
  const optimised = stdout.split('\n').filter((line) => line.includes('using TurboFan')).length;

  expect(optimised).toBeGreaterThan(40);
  expect(optimised).toBeLessThan(230);
});
