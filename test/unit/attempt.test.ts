import { describe, expect, test } from 'vitest';
import { attempt, unwrap } from '../../shared/runtime/attempt.ts';

const throwing = (thrown: unknown) => () => {
  throw thrown;
};

describe('an attempt', () => {
  test('is what came of it, a value or a failure', () => {
    const cause = new TypeError('no');

    expect(unwrap(attempt(() => 7))).toBe(7);
    expect(attempt(throwing(cause))).toEqual({ kind: 'failed', cause });
    expect(() => unwrap(attempt(throwing(cause)))).toThrow(cause);
  });

  test('does not hide from the thread what it must die of', () => {
    expect(() => attempt(throwing(new WebAssembly.RuntimeError('unreachable')))).toThrow('unreachable');
  });
});
