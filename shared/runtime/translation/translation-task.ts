import type { TranslationManifest } from '../../repository/manifest.ts';
import { type Attempt, attempt, unwrap } from '../attempt.ts';
import { CancelledError } from '../errors.ts';
import type { Translation, TranslationInput, TranslationOutput } from '../tasks.ts';
import type { TextTokenizer } from '../text-tokenizer.ts';
import { batchesByLength } from './batches.ts';
import { beamSearch } from './beam-search.ts';
import { DecoderRun } from './decoder-run.ts';
import { greedySearch } from './greedy-search.ts';
import type { Prompt } from './prompts/prompt.ts';
import type { Seq2SeqGraphs } from './seq2seq-graphs.ts';
import { type Part, prepareSource, type SourceTexts } from './source-text.ts';
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

/** One caller's texts on their way. */
interface Caller extends SourceTexts {
  readonly index: number;
  readonly input: TranslationInput;
  /** For each sentence what it became, once it is translated. */
  readonly found: (readonly Hypothesis[])[];
  /** Steps of the batches that held a sentence of it. */
  steps: number;
}

/** One caller's sentence among those of all. */
interface Sentence {
  readonly caller: Caller;
  readonly place: number;
  readonly tokens: readonly number[];
}

/** Translates in the worker of one model. */
export class TranslationTask {
  readonly #parts: TranslationParts;

  constructor(parts: TranslationParts) {
    this.#parts = parts;
  }

  /**
   * Translates the texts of several callers together. One that cannot be prepared or put together fails for its caller alone.
   * @param inputs that share a `batchKey`
   * @param isCancelled asked before every step of the decoder, of each caller that has a sentence in it; once true it stays so
   * @returns one for each input; those that failed did so with CancelledError, UnsupportedLanguageError or InferenceFailedError
   * @throws InferenceFailedError when the engine failed
   */
  run(
    inputs: readonly TranslationInput[],
    isCancelled: (caller: number) => boolean,
  ): readonly Attempt<TranslationOutput>[] {
    const unlessCancelled = (caller: number) => {
      if (isCancelled(caller)) throw new CancelledError('cancelled');
    };
    const callers = inputs.map((input, index) =>
      attempt(() => {
        unlessCancelled(index);
        return this.#prepare(input, index);
      }),
    );
    this.#translate(
      callers.flatMap((caller) => (caller.kind === 'done' ? caller.value : [])),
      isCancelled,
    );
    return callers.map((caller, index) =>
      attempt(() => {
        unlessCancelled(index);
        return this.#output(unwrap(caller));
      }),
    );
  }

  #prepare(input: TranslationInput, index: number): Caller {
    const { manifest, tokenizer, prompt } = this.#parts;
    const { maxSourceTokens } = manifest;
    const source = prepareSource(input.texts, input, { tokenizer, prompt, maxSourceTokens });
    return { ...source, index, input, found: new Array(source.sentences.length), steps: 0 };
  }

  #translate(callers: readonly Caller[], isCancelled: (caller: number) => boolean): void {
    const [first] = callers;
    if (first === undefined) return;
    const { alternatives = 0, numBeams: wanted = this.#parts.manifest.generation.numBeams } = first.input;
    const numBeams = Math.max(wanted, 1 + alternatives);
    const all = callers.flatMap((caller) =>
      caller.sentences.map((tokens, place): Sentence => ({ caller, place, tokens })),
    );
    const lengths = all.map(({ tokens }) => tokens.length);
    for (const batch of batchesByLength(lengths, numBeams)) {
      const sentences = batch.map((at) => all[at] as Sentence).filter(({ caller }) => !isCancelled(caller.index));
      if (sentences.length === 0) continue;
      const { hypotheses, steps } = this.#search(sentences, numBeams, first.input, isCancelled);
      sentences.forEach(({ caller, place }, row) => {
        caller.found[place] = hypotheses[row] as readonly Hypothesis[];
      });
      for (const caller of new Set(sentences.map((sentence) => sentence.caller))) caller.steps += steps;
    }
  }

  #search(
    rows: readonly Sentence[],
    numBeams: number,
    input: TranslationInput,
    isCancelled: (caller: number) => boolean,
  ): SearchResult {
    const { manifest, graphs, prompt, endToken, padToken } = this.#parts;
    const limit = Math.min(manifest.generation.maxNewTokens, input.maxNewTokens ?? Number.POSITIVE_INFINITY);
    const sentences = rows.map(({ tokens }) => tokens);
    const options = {
      prompt: prompt.decoder(input.target),
      endToken,
      bannedTokens: [padToken],
      maxNewTokens: sentences.map(({ length }) =>
        Math.min(limit, LONGEST_ANSWER_FACTOR * length + LONGEST_ANSWER_BASE),
      ),
      withConfidence: input.withConfidence ?? false,
      isCancelled: (row: number) => isCancelled((rows[row] as Sentence).caller.index),
    };
    const run = new DecoderRun(graphs, { sentences, padToken });
    try {
      if (numBeams === 1) return greedySearch(run, options);
      return beamSearch(run, { ...options, numBeams, lengthPenalty: manifest.generation.lengthPenalty });
    } finally {
      run.release();
    }
  }

  #output({ input, texts, sentences, found, steps }: Caller): TranslationOutput {
    return {
      task: 'translation',
      translations: texts.map((parts) => this.#assemble(parts, found, input)),
      usage: {
        sourceTokens: sentences.reduce((sum, { length }) => sum + length, 0),
        targetTokens: found.reduce((sum, hypotheses) => sum + (hypotheses[0]?.scoredTokens ?? 0), 0),
        steps,
      },
    };
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
