import type { BatchingSettings } from '../config/admission.ts';
import type { TaskInput, TaskOutput } from '../runtime/tasks.ts';

/**
 * A request in runs of their own, so that more urgent ones can go in between.
 * @param beams rows of the decoder for each text
 * @returns inputs with the request's texts in their order, each no larger than a shared run, or of one text
 */
export function piecesOf<Input extends TaskInput>(
  input: Input,
  { maxRows, maxCharacters }: Pick<BatchingSettings, 'maxRows' | 'maxCharacters'>,
  beams: number,
): readonly [Input, ...Input[]] {
  const whole: string[][] = [];
  let piece: string[] = [];
  let characters = 0;
  for (const text of input.texts) {
    const isFull = (piece.length + 1) * beams > maxRows || characters + text.length > maxCharacters;
    if (isFull && piece.length > 0) {
      whole.push(piece);
      piece = [];
      characters = 0;
    }
    piece.push(text);
    characters += text.length;
  }
  const [first = piece, ...others] = [...whole, piece];
  const inputOf = (texts: readonly string[]) => ({ ...input, texts });
  return [inputOf(first), ...others.map(inputOf)];
}

/** Of all texts; UTF-16 code units. */
export function charactersOf({ texts }: TaskInput): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** What the pieces of one request gave, in their order, as one answer to it. */
export function joinPieces<Output extends TaskOutput>(outputs: readonly [Output, ...Output[]]): Output {
  return outputs.reduce((all, next) => joined(all, next) as Output);
}

function joined(left: TaskOutput, right: TaskOutput): TaskOutput {
  if (left.task === 'translation' && right.task === 'translation') {
    const { usage } = left;
    return {
      task: 'translation',
      translations: [...left.translations, ...right.translations],
      usage: {
        sourceTokens: usage.sourceTokens + right.usage.sourceTokens,
        targetTokens: usage.targetTokens + right.usage.targetTokens,
        steps: usage.steps + right.usage.steps,
      },
    };
  }
  if (left.task === 'language-detection' && right.task === 'language-detection') {
    return { task: 'language-detection', detections: [...left.detections, ...right.detections] };
  }
  throw new TypeError(`answers to ${left.task} and ${right.task} are not of one request`);
}
