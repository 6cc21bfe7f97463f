/**
 * How fast the shipped model translates on one core, warm: `docs/performance.md`, table `translate`, ms for a sentence of
 * the test set, which has 33.27 characters in the mean. More sentences to a request are translated together.
 */
const CHARACTERS_PER_SENTENCE = 33.27;
const measured = [
  { fromSentences: 1, msPerSentence: 7.917 },
  { fromSentences: 8, msPerSentence: 4.547 },
  { fromSentences: 200, msPerSentence: 3.476 },
] as const;

/** Ms of a request beside the model: `around_the_model_ms` of the same table. */
export const AROUND_THE_MODEL_MS = 1.068;

/** Ms from the start of an instance to its first answer: `ours_first_translation_ms` of table `cold`. */
export const COLD_START_MS = 918.7;

/** Characters that an instance translates in a second when a request has so many. */
export function measuredSpeed(charactersPerRequest: number): number {
  const sentences = charactersPerRequest / CHARACTERS_PER_SENTENCE;
  const step = measured.findLast(({ fromSentences }) => sentences >= fromSentences) ?? measured[0];
  return (CHARACTERS_PER_SENTENCE / step.msPerSentence) * 1000;
}
