import * as z from 'zod/mini';
import { durationMs } from './duration.ts';

const number = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)$/;

const form = 'a number of seconds or a duration like "5m" or "1h30m" (0: unload after this request, negative: keep)';

/**
 * `keep_alive` as Ollama's clients send it: seconds, as a number or a text, or a duration.
 * In ms: 0 unloads the model after the request, a negative number keeps it; undefined where it is absent or empty.
 */
export const keepAlive = z.pipe(
  z.nullish(z.union([z.string(), z.number()], form)),
  z.transform((given: string | number | null | undefined, context): number | undefined => {
    if (given === undefined || given === null) return undefined;
    const text = String(given).trim();
    if (text === '') return undefined;
    const ms = typeof given === 'number' || number.test(text) ? Number(text) * 1000 : durationMs(text);
    if (Number.isFinite(ms)) return ms > 0 ? Math.ceil(ms) : Math.floor(ms);
    context.issues.push({ code: 'custom', message: form, input: given });
    return undefined;
  }),
);
