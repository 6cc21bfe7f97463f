import type { TranslationManifest } from '../../repository/manifest.ts';
import type { Translation, TranslationInput, TranslationOutput } from '../tasks.ts';
import type { TextTokenizer } from '../text-tokenizer.ts';
import { batchesByLength } from './batches.ts';
import { beamSearch } from './beam-search.ts';
import { DecoderRun } from './decoder-run.ts';
import { greedySearch } from './greedy-search.ts';
import type { Prompt } from './prompts/prompt.ts';
import type { Seq2SeqGraphs } from './seq2seq-graphs.ts';
import { type Part, prepareSource } from './source-text.ts';
import type { Hypothesis, SearchResult } from './step-model.ts';

/** An answer that runs away ends here: so many times the source's tokens, and some. */
const LONGEST_ANSWER_FACTOR = 3;
const LONGEST_ANSWER_BASE = 16;

export interface TranslationParts {
  readonly manifest: TranslationManifest;
  readonly graphs: Seq2SeqGraphs;
  readonly tokenizer: TextTokenizer;
  readonly prompt: Prompt;
  readonly endToken: number;
  readonly padToken: number;
}

/** Translates in the worker of one model. */
export class TranslationTask {
  readonly #parts: TranslationParts;

  constructor(parts: TranslationParts) {
    this.#parts = parts;
  }

  /**
   * @param checkCancelled called before every step of the decoder; what it throws ends the work
   * @throws UnsupportedLanguageError, InferenceFailedError
   */
  run(input: TranslationInput, checkCancelled: () => void): TranslationOutput {
    const { manifest, tokenizer, prompt } = this.#parts;
    const { texts, sentences } = prepareSource(input.texts, input, {
      tokenizer,
      prompt,
      maxSourceTokens: manifest.maxSourceTokens,
    });
    const found: (readonly Hypothesis[])[] = new Array(sentences.length);
    const lengths = sentences.map((sentence) => sentence.length);
    const numBeams = Math.max(input.numBeams ?? manifest.generation.numBeams, 1 + (input.alternatives ?? 0));
    let steps = 0;
    for (const batch of batchesByLength(lengths, numBeams)) {
      const rows = batch.map((index) => sentences[index] as readonly number[]);
      const result = this.#search(rows, numBeams, input, checkCancelled);
      steps += result.steps;
      batch.forEach((index, row) => {
        found[index] = result.hypotheses[row] as readonly Hypothesis[];
      });
    }
    const targetTokens = found.reduce((sum, hypotheses) => sum + (hypotheses[0]?.scoredTokens ?? 0), 0);
    return {
      task: 'translation',
      translations: texts.map((parts) => this.#assemble(parts, found, input)),
      usage: { sourceTokens: lengths.reduce((sum, length) => sum + length, 0), targetTokens, steps },
    };
  }

  #search(
    sentences: readonly (readonly number[])[],
    numBeams: number,
    input: TranslationInput,
    checkCancelled: () => void,
  ): SearchResult {
    const { manifest, graphs, prompt, endToken, padToken } = this.#parts;
    const limit = Math.min(manifest.generation.maxNewTokens, input.maxNewTokens ?? Number.POSITIVE_INFINITY);
    const options = {
      prompt: prompt.decoder(input.target),
      endToken,
      bannedTokens: [padToken],
      maxNewTokens: sentences.map(({ length }) =>
        Math.min(limit, LONGEST_ANSWER_FACTOR * length + LONGEST_ANSWER_BASE),
      ),
      withConfidence: input.withConfidence ?? false,
      checkCancelled,
    };
    const run = new DecoderRun(graphs, { sentences, padToken });
    try {
      if (numBeams === 1) return greedySearch(run, options);
      return beamSearch(run, { ...options, numBeams, lengthPenalty: manifest.generation.lengthPenalty });
    } finally {
      run.release();
    }
  }

  #assemble(
    parts: readonly Part[],
    found: readonly (readonly Hypothesis[])[],
    { alternatives = 0, withConfidence = false }: TranslationInput,
  ): Translation {
    const { tokenizer } = this.#parts;
    const textOf = (rank: number) =>
      parts
        .map((part) => {
          if ('keep' in part) return part.keep;
          const hypotheses = found[part.sentence] as readonly Hypothesis[];
          const hypothesis = (hypotheses[rank] ?? hypotheses[0]) as Hypothesis;
          // A model that has nothing to say of a sentence must not swallow it.
          return tokenizer.decode(hypothesis.tokens) || part.text;
        })
        .join('');
    const text = textOf(0);
    const others = new Set(Array.from({ length: alternatives }, (_, index) => textOf(index + 1)));
    others.delete(text);
    const best = parts.flatMap((part) =>
      'keep' in part ? [] : ((found[part.sentence] as readonly Hypothesis[])[0] ?? []),
    );
    const scoredTokens = best.reduce((sum, { scoredTokens: tokens }) => sum + tokens, 0);
    const logProbability = best.reduce((sum, hypothesis) => sum + hypothesis.logProbability, 0);
    const confidence = withConfidence && scoredTokens > 0 ? Math.exp(logProbability / scoredTokens) : null;
    return { text, alternatives: [...others], confidence };
  }
}
