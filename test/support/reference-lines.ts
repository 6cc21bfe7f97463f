import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One line of `test/fixtures/reference`: a sentence, how people translate it, and how transformers did with our models. */
export interface ReferenceLine {
  readonly source: string;
  readonly references: readonly string[];
  readonly greedy_fp32: string;
  readonly beam4_fp32: string;
  readonly greedy_int8: string;
}

/** @param direction `en-es` or `es-en` */
export async function referenceLines(direction: string): Promise<readonly ReferenceLine[]> {
  const file = join(import.meta.dirname, '..', 'fixtures', 'reference', `${direction}.jsonl`);
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.map((line): ReferenceLine => JSON.parse(line));
}
