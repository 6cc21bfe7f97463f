import { type Attempt, unwrap } from '../../shared/runtime/attempt.ts';
import type { OutputOf, TaskInput } from '../../shared/runtime/tasks.ts';

interface Runs<Input extends TaskInput> {
  run(inputs: readonly Input[], isCancelled: (caller: number) => boolean): readonly Attempt<OutputOf<Input>>[];
}

/** What the only caller of a run is answered. @throws what it failed of */
export function answerAlone<Input extends TaskInput>(
  task: Runs<Input>,
  input: Input,
  isCancelled: () => boolean = () => false,
): OutputOf<Input> {
  const [attempted] = task.run([input], isCancelled);
  return unwrap(attempted as Attempt<OutputOf<Input>>);
}
