import type { Context } from 'hono';
import * as z from 'zod/mini';
import type { Limits } from '../../shared/config/settings.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import { BadRequestError, TextTooLongError } from '../../shared/http/errors.ts';
import { keepAlive } from '../../shared/http/keep-alive.ts';
import { arrayOfTexts } from './array-of-texts.ts';
import { countCharacters } from './text.ts';

/** A body as it came: what is missing is checked later, in LibreTranslate's order and words. */
export const bodySchema = z.object({
  q: z.nullish(z.union([z.string(), arrayOfTexts()], 'a text or an array of texts')),
  source: z.nullish(z.string('a text')),
  target: z.nullish(z.string('a text')),
  format: z.nullish(z.string('a text')),
  alternatives: z.nullish(z.union([z.string(), z.number()], 'a number')),
  // Not LibreTranslate's.
  keep_alive: keepAlive,
  // Looked at by who checks keys, not here.
  api_key: z.nullish(z.string('a text')),
});

export type LibreTranslateBody = z.infer<typeof bodySchema>;

/** `POST /translate`, checked. */
export interface LibreTranslateRequest {
  readonly texts: readonly string[];
  /** Whether `q` was an array: then the answer is one too. */
  readonly batch: boolean;
  readonly source: string;
  readonly target: string;
  readonly format: 'text' | 'html';
  readonly alternatives: number;
}

/** What Flask answers to a body that cannot be parsed. */
const unreadable = 'The browser (or proxy) sent a request that this server could not understand.';

/** Reads a JSON, urlencoded or multipart body. @throws BadRequestError in LibreTranslate's words */
export async function readBody(c: Context<HttpEnv>): Promise<LibreTranslateBody> {
  const fields = await readFields(c);
  if (!isForm(fields)) return checked(fields);
  const texts = fields.getAll('q');
  return checked({
    q: texts.length > 1 ? texts.map(unixLines) : unixLines(texts[0]),
    source: fields.get('source'),
    target: fields.get('target'),
    format: fields.get('format'),
    alternatives: fields.get('alternatives'),
    keep_alive: fields.get('keep_alive'),
    api_key: fields.get('api_key'),
  });
}

/** The `api_key` of a POST's body, or of the address where there is no JSON. @throws BadRequestError in LibreTranslate's words */
export async function readApiKey(c: Context<HttpEnv>): Promise<string | undefined> {
  const fields = c.req.method === 'POST' ? await readFields(c) : new URL(c.req.url).searchParams;
  const key = isForm(fields) ? fields.get('api_key') : fields['api_key'];
  return typeof key === 'string' ? key : undefined;
}

/** The texts of `q` within the limits. @throws BadRequestError, TextTooLongError in LibreTranslate's words */
export function readTexts(body: LibreTranslateBody, limits: Limits): { texts: readonly string[]; batch: boolean } {
  const { q } = body;
  if (q === undefined || q === null || q.length === 0) throw missing('q');
  if (typeof q === 'string') {
    within(countCharacters(q), limits.textCharacters);
    return { texts: [q], batch: false };
  }
  within(q.length, limits.batchTexts);
  let total = 0;
  for (const text of q) {
    const characters = countCharacters(text);
    within(characters, limits.textCharacters);
    total += characters;
  }
  within(total, limits.batchCharacters);
  return { texts: q, batch: true };
}

/** All of `POST /translate`. @throws BadRequestError, TextTooLongError in LibreTranslate's words */
export function readTranslateRequest(body: LibreTranslateBody, limits: Limits): LibreTranslateRequest {
  if (!body.q?.length) throw missing('q');
  if (!body.source) throw missing('source');
  if (!body.target) throw missing('target');
  const alternatives = readAlternatives(body.alternatives, limits.alternatives);
  const { texts, batch } = readTexts(body, limits);
  const format = body.format || 'text';
  if (format !== 'text' && format !== 'html')
    throw new BadRequestError(`${format.slice(0, 35)} format is not supported`);
  return { texts, batch, source: body.source, target: body.target, format, alternatives };
}

type Fields = HttpEnv['Variables']['fields'];

/** Both who asks for the key and the route itself need them. */
async function readFields(c: Context<HttpEnv>): Promise<Fields> {
  const known = c.get('fields') as Fields | undefined;
  if (known !== undefined) return known;
  const mediaType = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isJson = mediaType === 'application/json' || /^application\/.+\+json$/.test(mediaType);
  const fields = isJson ? await readJson(c) : await readForm(c, mediaType);
  c.set('fields', fields);
  return fields;
}

function isForm(fields: Fields): fields is URLSearchParams | FormData {
  return fields instanceof URLSearchParams || fields instanceof FormData;
}

async function readJson(c: Context<HttpEnv>): Promise<Readonly<Record<string, unknown>>> {
  let body: unknown;
  try {
    body = await c.req.json();
  } catch {
    throw new BadRequestError(unreadable);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BadRequestError('Invalid JSON format');
  return body as Readonly<Record<string, unknown>>;
}

/** Parameters of the address count too, and first, as LibreTranslate has it. */
async function readForm(c: Context<HttpEnv>, mediaType: string): Promise<URLSearchParams | FormData> {
  const address = new URL(c.req.url).searchParams;
  let form: URLSearchParams | FormData;
  if (mediaType === 'application/x-www-form-urlencoded') {
    form = new URLSearchParams(await c.req.text());
  } else if (mediaType === 'multipart/form-data') {
    try {
      form = await c.req.formData();
    } catch {
      throw new BadRequestError(unreadable);
    }
  } else {
    return address;
  }
  if (address.size === 0) return form;
  const all = new FormData();
  for (const values of [address, form]) {
    values.forEach((value, name) => {
      all.append(name, value);
    });
  }
  return all;
}

function checked(body: unknown): LibreTranslateBody {
  const result = bodySchema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new BadRequestError(`Invalid request: ${String(issue?.path[0])} parameter is not ${issue?.message}`);
}

function readAlternatives(given: LibreTranslateBody['alternatives'], most: number): number {
  const number =
    typeof given === 'string' ? (/^\s*[+-]?\d+\s*$/.test(given) ? Number(given) : Number.NaN) : (given ?? 0);
  if (!Number.isFinite(number)) throw new BadRequestError('Invalid request: alternatives parameter is not a number');
  const alternatives = Math.max(0, Math.trunc(number));
  if (alternatives > most) {
    throw new BadRequestError(`Invalid request: alternatives parameter must be <= ${most}`);
  }
  return alternatives;
}

function within(size: number, limit: number): void {
  if (size > limit) {
    throw new TextTooLongError(`Invalid request: request (${size}) exceeds text limit (${limit})`);
  }
}

function missing(name: string): BadRequestError {
  return new BadRequestError(`Invalid request: missing ${name} parameter`);
}

/** Forms send line breaks as CRLF (RFC 2046); only what the user typed is translated and counted. */
function unixLines<Value>(value: Value): Value | string {
  return typeof value === 'string' ? value.replace(/\r\n?/g, '\n') : value;
}
