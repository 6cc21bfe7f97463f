import * as z from 'zod/mini';

/*
 * What the sections' schemas are made of. Every `error` completes "… must be" or, of unknown members, "… is not a setting,
 * unlike". The bounds keep nonsense out, and every duration below 2^31 ms, from where on timers fire at once.
 */

export const DAY_SECONDS = 86_400;

/** An object with these members and no others. */
export function objectOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const members = Object.keys(shape).join(', ');
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? members : 'an object') });
}

export function number(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).check(z.gte(min, { error }), z.lte(max, { error }));
}

export function whole(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).check(z.gte(min, { error }), z.lte(max, { error }));
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}
