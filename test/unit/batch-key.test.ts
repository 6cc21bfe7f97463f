import { expect, test } from 'vitest';
import { batchKey } from '../../shared/runtime/batch.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';

const input: TranslationInput = { task: 'translation', texts: ['Hello'], source: 'en', target: 'es' };

test('callers may share a batch whatever their texts, with the same options spelt out or not', () => {
  expect(batchKey({ ...input, texts: ['Bye', 'now'] })).toBe(batchKey(input));
  expect(batchKey({ ...input, alternatives: 0, withConfidence: false })).toBe(batchKey(input));
});

test.each([
  { source: 'fr' },
  { target: 'pt' },
  { alternatives: 1 },
  { numBeams: 2 },
  { maxNewTokens: 9 },
  { withConfidence: true },
])('callers who differ in %j do not', (change) => {
  expect(batchKey({ ...input, ...change })).not.toBe(batchKey(input));
});

test('detection goes with detection alone', () => {
  const detection = { task: 'language-detection', texts: ['Hello'] } as const;
  expect(batchKey({ ...detection, candidates: 3 })).toBe(batchKey(detection));
  expect(batchKey(detection)).not.toBe(batchKey(input));
});
