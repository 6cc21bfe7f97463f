/** What a model can be asked. Only these plain objects cross the thread: text and options in, text and numbers out. */

export interface TranslationInput {
  readonly task: 'translation';
  /** Any length each: long text is cut into sentences and put together again with its whitespace and line breaks. */
  readonly texts: readonly string[];
  readonly source: string;
  readonly target: string;
  /** Further hypotheses wanted for each text; 0 to 4. */
  readonly alternatives?: number;
  /** Default: the manifest's. 1 is greedy. */
  readonly numBeams?: number;
  /** Tokens that the answer to one sentence may have; never above the manifest's. */
  readonly maxNewTokens?: number;
  /** Whether `confidence` is wanted: it costs a softmax per step of a greedy search. */
  readonly withConfidence?: boolean;
}

export interface Translation {
  readonly text: string;
  /** Best first, without `text` itself and without repeats; at most as many as were asked for. */
  readonly alternatives: readonly string[];
  /** 0 to 1: the geometric mean of the tokens' probabilities; null unless it was asked for, or where nothing was translated. */
  readonly confidence: number | null;
}

export interface TranslationOutput {
  readonly task: 'translation';
  /** One for each text, in order. */
  readonly translations: readonly Translation[];
  readonly usage: { readonly sourceTokens: number; readonly targetTokens: number; readonly steps: number };
}

export interface DetectionInput {
  readonly task: 'language-detection';
  readonly texts: readonly string[];
  /** Candidates wanted for each text; default 1. */
  readonly candidates?: number;
}

export interface DetectedLanguage {
  /** As the model's labels have it; two letters where ISO 639-1 has a code. */
  readonly language: string;
  /** 0 to 1. */
  readonly confidence: number;
}

export interface DetectionOutput {
  readonly task: 'language-detection';
  /** One list for each text, in order, best first; an empty list where the text holds nothing to judge by. */
  readonly detections: readonly (readonly DetectedLanguage[])[];
}

export type TaskInput = TranslationInput | DetectionInput;
export type TaskOutput = TranslationOutput | DetectionOutput;
export type OutputOf<Input extends TaskInput> = Extract<TaskOutput, { task: Input['task'] }>;
