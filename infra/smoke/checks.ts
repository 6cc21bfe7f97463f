import * as z from 'zod/mini';

/** What came back for one request, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body; undefined when it is not JSON. */
  readonly json: unknown;
}

/** One request to a deployment, and what must come back. */
export interface Check {
  readonly name: string;
  readonly path: string;
  /** Left out: GET. Otherwise POST with this as JSON. */
  readonly body?: object;
  /** Sent without what proves who is calling. */
  readonly anonymous?: boolean;
  /** What is wrong with the answer, in words; undefined: nothing. */
  readonly fault: (answer: Answer) => string | undefined;
}

const alive = z.object({ status: z.literal('ok'), version: z.string() });
const ready = z.object({ status: z.literal('ready'), models: z.array(z.string()).check(z.minLength(1)) });
const languages = z.array(z.object({ code: z.string(), targets: z.array(z.string()) }));
const detections = z.array(z.object({ language: z.string(), confidence: z.number() }));
const translation = z.object({ translatedText: z.string().check(z.minLength(1)) });
/** RFC 9457's members and those that this project adds. */
const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.literal(400),
  detail: z.string(),
  error: z.string(),
  code: z.literal('UNSUPPORTED_LANGUAGE'),
  retryable: z.literal(false),
});

const needsKey = z.object({ code: z.literal('UNAUTHENTICATED') });

const ENGLISH = 'Where is the library?';
const SPANISH = '¿Dónde está la biblioteca?';

/** In the order in which a failure explains those after it. */
export const checks: readonly Check[] = [
  {
    name: 'health',
    path: '/health',
    fault: (answer) => ok(answer) ?? shaped(answer, alive, 'status "ok" and a version'),
  },
  {
    name: 'readiness',
    path: '/readiness',
    fault: (answer) => ok(answer) ?? shaped(answer, ready, 'status "ready" and a model'),
  },
  {
    name: 'languages',
    path: '/languages',
    fault: (answer) =>
      ok(answer) ??
      found(answer, languages, 'en to es', (all) => {
        return all.some(({ code, targets }) => code === 'en' && targets.includes('es'));
      }),
  },
  {
    name: 'detection',
    path: '/detect',
    body: { q: SPANISH },
    fault: (answer) => ok(answer) ?? found(answer, detections, 'es first', ([best]) => best?.language === 'es'),
  },
  {
    name: 'translation',
    path: '/translate',
    body: { q: ENGLISH, source: 'en', target: 'es' },
    fault: (answer) =>
      ok(answer) ?? found(answer, translation, 'another text', ({ translatedText }) => translatedText !== ENGLISH),
  },
  {
    name: 'bad request',
    path: '/translate',
    body: { q: ENGLISH, source: 'en', target: 'zz' },
    fault: (answer) => {
      if (answer.status !== 400) return `status ${answer.status} instead of 400`;
      const type = answer.headers.get('content-type') ?? 'none';
      if (!type.startsWith('application/problem+json')) return `content type ${type}, not application/problem+json`;
      return shaped(answer, problem, 'a problem document with code UNSUPPORTED_LANGUAGE');
    },
  },
];

/** Where callers have to prove who they are: one that does not is turned away. */
export const strangersCheck: Check = {
  name: 'strangers are refused',
  path: '/translate',
  body: { q: ENGLISH, source: 'en', target: 'es' },
  anonymous: true,
  fault: ({ status, json }) => {
    if (status === 401 || status === 403) return undefined;
    // LibreTranslate's status for it.
    if (status === 400 && needsKey.safeParse(json).success) return undefined;
    return `status ${status} instead of 401, 403 or 400 for want of a key`;
  },
};

function ok({ status, json }: Answer): string | undefined {
  return status === 200 ? undefined : `status ${status}${told(json)}`;
}

const tellingSchema = z.object({
  code: z.optional(z.string()),
  detail: z.optional(z.string()),
  message: z.optional(z.string()),
});

/** What a problem document, or the gateway, says about itself. */
function told(json: unknown): string {
  const telling = tellingSchema.safeParse(json);
  if (!telling.success) return '';
  const { code, detail, message } = telling.data;
  const words = [code, detail ?? message].filter((word) => word !== undefined);
  return words.length === 0 ? '' : `: ${words.join(', ')}`;
}

function shaped(answer: Answer, schema: z.ZodMiniType, wanted: string): string | undefined {
  return schema.safeParse(answer.json).success ? undefined : `the body is not ${wanted}`;
}

function found<Shape>(
  answer: Answer,
  schema: z.ZodMiniType<Shape>,
  wanted: string,
  isIn: (shape: Shape) => boolean,
): string | undefined {
  const parsed = schema.safeParse(answer.json);
  return parsed.success && isIn(parsed.data) ? undefined : `the body does not have ${wanted}`;
}
