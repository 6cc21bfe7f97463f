import { readFileSync } from 'node:fs';
import { z } from 'zod/mini';
import { folders } from './folders.ts';

const lineSchema = z.object({ source: z.string(), greedy_int8: z.string() });

/** A sentence of the test set, and what transformers makes of it with these weights, greedily. */
export interface ReferenceSentence {
  readonly source: string;
  readonly reference: string;
}

/** The first sentences of the English to Spanish test set, in its order. */
export function referenceSentences(count: number): ReferenceSentence[] {
  const lines = readFileSync(folders.reference, 'utf8').split('\n').slice(0, count);
  return lines.map((line) => {
    const { source, greedy_int8: reference } = lineSchema.parse(JSON.parse(line));
    return { source, reference };
  });
}
