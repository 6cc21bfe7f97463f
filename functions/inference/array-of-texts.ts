import * as z from 'zod/mini';

/** Texts in an array; where items are none, only the first of them is told. */
export const arrayOfTexts = () => z.pipe(z.transform(upToFirstWrong), z.array(z.string('a text'), 'an array of texts'));

/** Zod writes down all that is wrong, and a body can have half a million items: that took half a second, and more stack than there is. */
function upToFirstWrong(given: string[]): string[] {
  const wrong = Array.isArray(given) ? given.findIndex((item) => typeof item !== 'string') : -1;
  return wrong < 0 ? given : given.slice(0, wrong + 1);
}
