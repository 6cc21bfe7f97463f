import { z } from 'zod/mini';

/** A moment in the life of a process, told on its standard output among the lines of its log. */
export interface Mark {
  readonly name: string;
  /** Ms since the epoch, with fractions. */
  readonly at: number;
}

const markSchema = z.object({ event: z.literal('bench.mark'), name: z.string(), at: z.number() });
const answerSchema = z.object({ event: z.literal('bench.answer'), translation: z.string() });
const stateSchema = z.object({
  event: z.literal('model.state'),
  model: z.string(),
  state: z.string(),
  time: z.string(),
});

/** What the program answered first. */
export function readAnswer(output: string): string | undefined {
  for (const line of jsonLines(output)) {
    const answer = answerSchema.safeParse(line);
    if (answer.success) return answer.data.translation;
  }
  return undefined;
}

/** Marks of a program and, by their names, the states of a model as the log tells them. Other lines are left out. */
export function readMarks(output: string, modelId: string): Mark[] {
  return jsonLines(output).flatMap((json): Mark[] => {
    const mark = markSchema.safeParse(json);
    if (mark.success) return [{ name: mark.data.name, at: mark.data.at }];
    const state = stateSchema.safeParse(json);
    if (!state.success || !state.data.model.startsWith(`${modelId}@`)) return [];
    return [{ name: state.data.state, at: Date.parse(state.data.time) }];
  });
}

function jsonLines(output: string): unknown[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): unknown => JSON.parse(line));
}
