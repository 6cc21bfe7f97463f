import { OutOfMemoryError } from './errors.ts';

/**
 * Whether the thread must die of it: a trap, or an exception of the engine that nobody caught, leaves a heap that is not to
 * be trusted; a file that cannot be read (one that was evicted meanwhile, too many handles) says nothing about the model.
 */
export function isFatal(thrown: unknown): boolean {
  return !(thrown instanceof Error) || thrown instanceof WebAssembly.RuntimeError || 'syscall' in thrown;
}

/** The engine tells of a full heap in words alone, and so does V8: `RangeError` has many meanings. */
const OUT_OF_MEMORY = [
  /std::bad_alloc/,
  /the WebAssembly heap has no room/,
  /could not allocate a tensor/,
  /Failed to allocate memory/,
  /(Array buffer|memory) allocation failed/i,
  /WebAssembly\.Memory.*(could not allocate|Maximum memory size)/,
  /\bOOM\b/,
];

export function isOutOfMemory(thrown: unknown): boolean {
  return thrown instanceof Error && OUT_OF_MEMORY.some((words) => words.test(thrown.message));
}

/** What the thread dies of, as the main thread is to see it. */
export function deathOf(thrown: unknown): unknown {
  return isOutOfMemory(thrown) ? new OutOfMemoryError('the model worker ran out of memory') : thrown;
}
