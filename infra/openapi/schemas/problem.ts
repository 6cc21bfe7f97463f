import * as z from 'zod/mini';
import { name, share } from './named.ts';

const status = z.int().check(z.gte(400), z.lte(599));

/** `Problem` of `shared/http/problem.ts`. */
export const problem = name(
  'Problem',
  z.object({
    type: z.string(),
    title: z.string(),
    status,
    detail: z.string(),
    error: z.string(),
    code: z.string(),
    model: z.optional(z.string()),
    state: z.optional(z.string()),
    progress: z.optional(share),
    retryable: z.boolean(),
    requestId: z.optional(z.string()),
  }),
  "A failure (RFC 9457) with LibreTranslate's `error`. `code` is stable; `retryable` says whether the same request can succeed later.",
);

/** What `asPipelineFailure` makes of it. */
export const pipelineFailure = name(
  'PipelineFailure',
  z.object({
    status: z.literal('error'),
    message: z.string(),
    error: z.object({
      code: z.string(),
      details: z.object({
        reason: z.optional(z.string()),
        model: z.optional(z.string()),
        state: z.optional(z.string()),
        progress: z.optional(share),
        retryable: z.boolean(),
      }),
    }),
    metadata: z.object({ request_id: z.optional(z.string()), timestamp: z.iso.datetime() }),
  }),
  "A failure of CasaLingua's own routes. `details.reason` is the service's own code where it differs.",
);
