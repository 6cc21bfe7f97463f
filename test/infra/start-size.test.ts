import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inferenceBundle } from '../support/local-run.ts';

/** Bytes of JavaScript that an import of this file takes, with all that it imports at once. */
function startBytes(file: string, seen = new Set<string>()): number {
  if (seen.has(file)) return 0;
  seen.add(file);
  const text = readFileSync(join(inferenceBundle, file), 'utf8');
  const imported = [...text.matchAll(/(?:^|[;}])import(?:[^"'()]*?from)?"\.\/(chunk-[\w-]+\.mjs)"/gm)];
  return imported.reduce((sum, [, chunk = '']) => sum + startBytes(chunk, seen), Buffer.byteLength(text));
}

describe('the start of the inference function', () => {
  it('imports no more than 330 KB of JavaScript: the rest comes when it is needed', () => {
    expect(startBytes('index.mjs') / 1000).toBeLessThan(330);
  });

  it('leaves the parser of markup to the first request that has some', () => {
    // A marker of its tables, which are built when it is imported.
    const seen = new Set<string>();
    startBytes('index.mjs', seen);
    const text = [...seen].map((file) => readFileSync(join(inferenceBundle, file), 'utf8')).join('');

    expect(seen.size).toBeGreaterThan(1);
    expect(text).not.toContain('onopentagname');
  });
});
