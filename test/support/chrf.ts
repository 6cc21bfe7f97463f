const ORDER = 6;
const BETA_SQUARED = 4;

/** Of one length of n-grams: how many the answer has, the reference has, and both have. */
interface Matches {
  readonly answer: number;
  readonly reference: number;
  readonly both: number;
}

export interface ScoredLine {
  readonly answer: string;
  readonly references: readonly string[];
}

/**
 * chrF2 of a whole test set, 0 to 100, as sacrebleu 2.6 computes it by default: n-grams of 1 to 6 characters without white
 * space, recall counting twice as much as precision, each line measured by the reference that suits it best.
 */
export function chrf2(lines: readonly ScoredLine[]): number {
  const total = Array.from({ length: ORDER }, () => ({ answer: 0, reference: 0, both: 0 }));
  for (const line of lines) {
    bestMatches(line).forEach((matches, order) => {
      const sum = total[order] as (typeof total)[number];
      sum.answer += matches.answer;
      sum.reference += matches.reference;
      sum.both += matches.both;
    });
  }
  return fScore(total);
}

function bestMatches({ answer, references }: ScoredLine): readonly Matches[] {
  const answerNgrams = ngramsOf(answer);
  let best: readonly Matches[] = [];
  let bestScore = -1;
  for (const reference of references) {
    const matches = ngramsOf(reference).map((ngrams, order) => match(answerNgrams[order] ?? new Map(), ngrams));
    const score = fScore(matches);
    if (score > bestScore) [best, bestScore] = [matches, score];
  }
  return best;
}

/** How often each n-gram occurs, by n less 1. */
function ngramsOf(text: string): Map<string, number>[] {
  const characters = Array.from(text.replace(/\s/gu, ''));
  return Array.from({ length: ORDER }, (_, order) => {
    const counts = new Map<string, number>();
    for (let start = 0; start + order < characters.length; start++) {
      const ngram = characters.slice(start, start + order + 1).join('');
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
    return counts;
  });
}

function match(answer: ReadonlyMap<string, number>, reference: ReadonlyMap<string, number>): Matches {
  const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0);
  let both = 0;
  for (const [ngram, count] of answer) both += Math.min(count, reference.get(ngram) ?? 0);
  // What the reference is too short for is held against no answer.
  return { answer: reference.size === 0 ? 0 : sum(answer.values()), reference: sum(reference.values()), both };
}

function fScore(matches: readonly Matches[]): number {
  const counted = matches.filter(({ answer, reference }) => answer > 0 && reference > 0);
  if (counted.length === 0) return 0;
  const mean = (part: (matches: Matches) => number) =>
    counted.reduce((sum, matches) => sum + part(matches), 0) / counted.length;
  const precision = mean(({ both, answer }) => both / answer);
  const recall = mean(({ both, reference }) => both / reference);
  if (precision + recall === 0) return 0;
  return (100 * (1 + BETA_SQUARED) * precision * recall) / (BETA_SQUARED * precision + recall);
}
