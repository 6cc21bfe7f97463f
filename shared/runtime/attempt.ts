import { isFatal } from './worker-death.ts';

/** What one caller's part of a run came to. */
export type Attempt<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly cause: unknown };

/** Does it; what it throws is that caller's failure alone, unless the thread must die of it. */
export function attempt<Value>(work: () => Value): Attempt<Value> {
  try {
    return { kind: 'done', value: work() };
  } catch (cause) {
    if (isFatal(cause)) throw cause;
    return { kind: 'failed', cause };
  }
}

/** @throws what it failed of */
export function unwrap<Value>(attempted: Attempt<Value>): Value {
  if (attempted.kind === 'failed') throw attempted.cause;
  return attempted.value;
}
