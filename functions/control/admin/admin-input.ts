import type { Context } from 'hono';
import * as z from 'zod/mini';
import { durationMs } from '../../../shared/http/duration.ts';
import type { HttpEnv } from '../../../shared/http/environment.ts';
import { BadRequestError } from '../../../shared/http/errors.ts';
import { checkJson } from '../../../shared/http/validated.ts';
import { versionSchema } from '../../../shared/repository/manifest-schema.ts';

const DAY_MS = 86_400_000;
const LONGEST_WISH_MS = 366 * DAY_MS;
const LONGEST_FORCE_MS = 7 * DAY_MS;

/** A duration like `2h`, in ms. */
function duration(longestMs: number, inWords: string) {
  const form = `a duration like "30m" or "1h30m", at most ${inWords}`;
  return z.pipe(
    z.string(form),
    z.transform((text: string, context): number => {
      const ms = durationMs(text.trim());
      if (ms >= 1 && ms <= longestMs) return Math.ceil(ms);
      context.issues.push({ code: 'custom', message: form, input: text });
      return z.NEVER;
    }),
  );
}

/** Of `load`, `pin` and `unload`: how long the wish stands. */
export const wishSchema = z.strictObject({ for: z.optional(duration(LONGEST_WISH_MS, '366d')) });

/** Of `unpin`. */
export const unpinSchema = z.strictObject({});

export const activateSchema = z.strictObject({
  version: versionSchema,
  /** The change that the operator has seen. */
  expected_seq: z.optional(z.int('a whole number from 0').check(z.gte(0, 'a whole number from 0'))),
});

const why = z
  .string('some words')
  .check(z.trim(), z.minLength(1, 'some words'), z.maxLength(200, 'shorter than 201 characters'));

export const forceSchema = z.discriminatedUnion(
  'state',
  [
    z.strictObject({
      state: z.enum(['open', 'closed']),
      /** For those who will wonder. */
      why,
      /** Default: an hour. */
      for: z.optional(duration(LONGEST_FORCE_MS, '7d')),
    }),
    z.strictObject({ state: z.literal('release'), why: z.optional(why) }),
  ],
  '"open", "closed" or "release"',
);

/** What an operator says of a breaker, checked. */
export type ForceRequest = z.output<typeof forceSchema>;

/** A body that may be left out. @throws BadRequestError */
export async function readOptional<Schema extends z.ZodMiniType>(
  c: Context<HttpEnv>,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await c.req.text();
  if (text.trim() === '') return checkJson({}, schema);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new BadRequestError('the body is not valid JSON');
  }
  return checkJson(body, schema);
}
