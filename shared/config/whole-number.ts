import * as z from 'zod/mini';

/** A variable's number, or this one where there is none. */
export function whole(fallback: number, min: number, max: number) {
  return z._default(wholeNumber(min, max), fallback);
}

/** The number of a variable that has to be there. */
export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).check(z.refine((n) => Number.isInteger(n) && n >= min && n <= max, { error }));
}
