import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { arrayOfTexts } from '../../functions/inference/array-of-texts.ts';

describe('an array of texts', () => {
  it('comes as it is', () => {
    expect(z.safeParse(arrayOfTexts(), ['a', '', 'b']).data).toEqual(['a', '', 'b']);
  });

  it.each([[{}], ['a'], [7], [{ findIndex: 1, length: 3 }]])('is not %j', (given) => {
    expect(z.safeParse(arrayOfTexts(), given).error?.issues).toMatchObject([
      { path: [], message: 'an array of texts' },
    ]);
  });

  it('is refused for the first item that is none, however many there are', () => {
    const { error } = z.safeParse(arrayOfTexts(), ['a', ...Array.from({ length: 300_000 }, () => 1)]);

    expect(error?.issues).toMatchObject([{ path: [1], message: 'a text' }]);
  });
});
