import { describe, expect, test } from 'vitest';
import { chrf2 } from '../support/chrf.ts';
import { type ReferenceLine, referenceLines } from '../support/reference-lines.ts';

/** What sacrebleu 2.6.0 answers: `corpus_chrf(answers, references).score`. */
const lines = [
  { answer: 'the cat sat on the mat', references: ['the cat is on the mat'], score: 64.5779420625287 },
  {
    answer: '¿Dónde está la biblioteca?',
    references: ['¿Dónde queda la biblioteca?', '¿En dónde está la biblioteca más cercana?'],
    score: 65.5551910721208,
  },
  { answer: 'a', references: ['ab'], score: 55.55555555555556 },
  { answer: '', references: ['abc'], score: 0 },
  { answer: 'abc', references: ['xyz'], score: 0 },
  { answer: '🏠 is our 🏠 house', references: ['🏠 is our house 🏠'], score: 59.85990860990861 },
  { answer: 'same  words\there', references: ['same words here'], score: 100 },
];

describe('chrF2 is what sacrebleu computes', () => {
  test.each(lines)('for the line $answer', ({ score, ...line }) => {
    expect(chrf2([line])).toBeCloseTo(score, 9);
  });

  test('for these lines as a whole', () => {
    expect(chrf2(lines)).toBeCloseTo(68.35050992575616, 9);
  });

  test.each([
    ['en-es', 'greedy_int8', 67.91992611578624],
    ['en-es', 'beam4_fp32', 69.25089330771016],
    ['es-en', 'greedy_int8', 69.17681363087085],
    ['es-en', 'beam4_fp32', 70.2316170828545],
  ] as const)('for all reference lines of %s, %s', async (direction, answers: keyof ReferenceLine, score) => {
    const all = await referenceLines(direction);
    const scored = all.map((line) => ({ answer: String(line[answers]), references: line.references }));

    expect(chrf2(scored)).toBeCloseTo(score, 9);
  });
});
