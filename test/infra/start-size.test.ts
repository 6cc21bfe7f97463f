import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inferenceBundle } from '../support/local-run.ts';

/** Files of JavaScript that an import of this file takes, with all that they import at once. */
function startFiles(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(join(inferenceBundle, file), 'utf8');
  const imported = [...text.matchAll(/(?:^|[;}])import(?:[^"'()]*?from)?"\.\/(chunk-[\w-]+\.mjs)"/gm)];
  for (const [, chunk = ''] of imported) startFiles(chunk, seen);
  return seen;
}

const textOf = (names: Iterable<string>) =>
  Array.from(names, (file) => readFileSync(join(inferenceBundle, file), 'utf8')).join('');
const files = startFiles('index.mjs');
const late = readdirSync(inferenceBundle).filter((file) => file.startsWith('chunk-') && !files.has(file));

describe('the start of the inference function', () => {
  it('imports no more than 31 KB of JavaScript: the rest comes when it is needed', () => {
    expect(files.size).toBeGreaterThan(1);
    expect(Buffer.byteLength(textOf(files)) / 1000).toBeLessThan(31);
  });

  it("takes three files: its own, what the rest shares with it, and esbuild's helpers", () => {
    expect(files.size).toBeLessThanOrEqual(3);
  });

  it.each([
    // Markers of tables or classes that are made when it is imported.
    ['the parser of markup', 'onopentagname'],
    ['zod', '_zod'],
    ['the parser of configuration files', 'CommaExpected'],
    ['hono', 'notFound'],
    ["AWS's SDK", 'smithy'],
  ])('leaves %s to whoever needs it', (_, marker) => {
    expect(textOf(files)).not.toContain(marker);
    expect(textOf(late)).toContain(marker);
  });

  it('ends an instance whose rest cannot be imported, though a request has been told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'casalingua-torn-'));
    try {
      cpSync(inferenceBundle, folder, { recursive: true });
      for (const file of late) writeFileSync(join(folder, file), 'throw new Error("torn")');
      const bundle = JSON.stringify(pathToFileURL(join(folder, 'index.mjs')));
      const program = `const { handler } = await import(${bundle});
        setInterval(() => {}, 1_000);
        await handler({}, undefined).catch(() => console.log('refused'));`;
      const env = { PATH: process.env['PATH'], CASALINGUA_MODEL_BUCKET: 'weights', CASALINGUA_TABLE: 'fleet' };

      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { env, stdio: 'ignore' });

      expect(await once(child, 'exit')).toEqual([1, null]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
