import { expect } from 'vitest';
import { ModelWorker } from '../../shared/runtime/model-worker.ts';
import { chrf2 } from './chrf.ts';
import { deployedEngine, modelFolder, modelOnDisk } from './real-model.ts';
import { type ReferenceLine, referenceLines } from './reference-lines.ts';

export type Direction = 'en-es' | 'es-en';

/**
 * A search, the answers that come with the models to measure it by, and the least share of them that must be the very
 * same: those of greedy search come from the same weights, those of beam search from the weights before quantisation.
 */
export const searches = [
  { search: 'greedy search', numBeams: 1, measure: 'greedy_int8', leastSame: 0.9 },
  { search: 'beam search', numBeams: 4, measure: 'beam4_fp32', leastSame: 0.8 },
] as const;
export type Search = (typeof searches)[number];

export interface Quality {
  /** chrF2 of our answers and of those that come with the models, against the references. */
  readonly ours: number;
  readonly theirs: number;
  /** 0 to 1: answers that are the very same. */
  readonly same: number;
}

/** The worker of one direction as it is deployed. Whoever starts it ends it. */
export async function startTranslator(direction: Direction): Promise<ModelWorker> {
  const { manifest, files } = await modelOnDisk(modelFolder[`translate-${direction}`]);
  const worker = ModelWorker.start(deployedEngine(), () => undefined);
  await worker.load({ manifest, files, warmUp: 1, onWarming: () => undefined });
  return worker;
}

/** Translates reference lines in one request and compares. */
export async function measureQuality(
  translator: ModelWorker,
  direction: Direction,
  search: Search,
  count = Number.POSITIVE_INFINITY,
): Promise<Quality> {
  const lines = (await referenceLines(direction)).slice(0, count);
  const [source = '', target = ''] = direction.split('-');
  const texts = lines.map((line) => line.source);
  const { numBeams } = search;
  const { output } = await translator.run({ task: 'translation', texts, source, target, numBeams });
  const answers = output.translations.map(({ text }) => text);
  return qualityOf(lines, answers, search);
}

/** @param answers one for each line */
export function qualityOf(lines: readonly ReferenceLine[], answers: readonly string[], { measure }: Search): Quality {
  return {
    ours: chrf2(lines.map(({ references }, index) => ({ answer: answers[index] ?? '', references }))),
    theirs: chrf2(lines.map((line) => ({ answer: line[measure], references: line.references }))),
    same: lines.filter((line, index) => line[measure] === answers[index]).length / lines.length,
  };
}

/** Within 0.5 chrF2, and with as many of the very same answers as the search is to have. */
export function expectAsGood({ ours, theirs, same }: Quality, { leastSame }: Search): void {
  expect(Math.abs(ours - theirs)).toBeLessThan(0.5);
  expect(same).toBeGreaterThanOrEqual(leastSame);
}

/** A line for people. */
export function described(direction: Direction, { search, measure }: Search, { ours, theirs, same }: Quality): string {
  const percent = (100 * same).toFixed(1);
  return `${direction}, ${search}: chrF2 ${ours.toFixed(2)}, ${measure} ${theirs.toFixed(2)}; ${percent} % the same`;
}
