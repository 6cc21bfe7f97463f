import { describe, expect, test } from 'vitest';
import { readFastTextFile } from '../../infra/models/language-detection/fasttext-file.ts';
import { treePaths } from '../../infra/models/language-detection/softmax-tree.ts';

describe("the softmax's tree", () => {
  test('joins the two rarest, then again, and the first taken is the first child', () => {
    // 1 and 2 become node 0 (3); that and 4 become node 1 (7); that and 9 become node 2, the root.
    expect(treePaths([9, 4, 2, 1])).toEqual([
      [{ node: 2, second: true }],
      [
        { node: 1, second: true },
        { node: 2, second: false },
      ],
      [
        { node: 0, second: true },
        { node: 1, second: false },
        { node: 2, second: false },
      ],
      [
        { node: 0, second: false },
        { node: 1, second: false },
        { node: 2, second: false },
      ],
    ]);
  });

  test('takes the inner node before a label that is as rare', () => {
    expect(treePaths([2, 1, 1])[0]).toEqual([{ node: 1, second: true }]);
  });

  test('is prefix-free: the shares of all labels make a whole', () => {
    const share = treePaths([50, 20, 20, 9, 3, 3, 1]).reduce((sum, path) => sum + 2 ** -path.length, 0);
    expect(share).toBe(1);
  });
});

describe('a fastText file', () => {
  test.each([
    ['is empty', Uint8Array.of()],
    ['is something else', Buffer.alloc(64)],
    ['has another version', Buffer.from(Int32Array.of(793712314, 11).buffer)],
    ['ends early', Buffer.from(Int32Array.of(793712314, 12, 16).buffer)],
  ])('is refused if it %s', (_, file) => {
    expect(() => readFastTextFile(file)).toThrow();
  });
});
