import fc from 'fast-check';
import { type DescribedOperation, describeApi } from '../../infra/openapi/description.ts';
import { type Body, bodiesFor, type MediaType } from './bodies.ts';
import { type Json, type Schema, valuesOf } from './schema-arbitrary.ts';

/** Callers, by what their key may do. */
export const roles = ['nobody', 'infer', 'read', 'admin', 'disabled', 'stranger'] as const;
export type Role = (typeof roles)[number];

/** A request as it goes over HTTP, but for its caller's key, which each run makes anew. */
export interface FuzzedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly role: Role;
  readonly keyIn: 'header' | 'query';
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | undefined;
  /** Whether the body goes in chunks, without its length. */
  readonly chunked: boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
}

const { paths } = describeApi({ isClosed: false });

/** In each text of a user, and nowhere that an operator writes. */
export const MARKER = 'mÄrker7f3a';

const sentence = fc.constantFrom(
  'I need help.',
  'Where is the library?',
  '¿Dónde está la biblioteca?',
  'Buenos días.\n\n<p class="a">I need <b>help</b> &amp; water.</p>',
  '🏠 1234 --',
);
const userText = fc.oneof(
  { weight: 3, arbitrary: sentence.map((text) => `${text} ${MARKER}`) },
  fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => `${text}${MARKER}`),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
const operatorText = fc.string({ unit: 'grapheme', maxLength: 30 });

const headerText = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0xa0, max: 0xff })), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));

const oddHeaders: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(
    fc.constant('x-request-deadline-ms'),
    fc.oneof(
      fc.constantFrom('0', '1', '40', '-1', '1e3', 'NaN', '999999999', '9999999999999', '5000, 1', ''),
      headerText,
    ),
  ),
  fc.tuple(
    fc.constant('prefer'),
    fc.oneof(fc.constantFrom('wait=0', 'wait=10', 'wait=', 'wait=-1', 'respond-async, wait=1e9'), headerText),
  ),
  fc.tuple(fc.constant('x-request-id'), fc.oneof(fc.constantFrom('abc', 'a'.repeat(129), '../..', ''), headerText)),
  fc.tuple(fc.constant('if-none-match'), fc.oneof(fc.constantFrom('*', 'W/"a"', '"'), headerText)),
  fc.tuple(
    fc.constant('authorization'),
    fc.oneof(fc.constantFrom('Bearer', 'Bearer ', 'Basic YTpi', 'Bearer cslg_', 'Bearer a.b.c'), headerText),
  ),
  fc.tuple(
    fc.constantFrom(
      'accept',
      'accept-encoding',
      'accept-language',
      'origin',
      'cookie',
      'traceparent',
      'x-amzn-trace-id',
      'range',
      'x-http-method-override',
    ),
    headerText,
  ),
);
/** A network of its own for nearly each request, so that one caller's wrong keys do not stop all. */
const address = fc.ipV4().map((ip) => ['x-forwarded-for', ip] as const);

const oddSegments = fc.oneof(
  fc.constantFrom(
    '%',
    '%00',
    '%ff',
    '%c0%af',
    '..',
    '%2e%2e%2f',
    '__proto__',
    'constructor',
    '%F0%9F%8F%A0',
    'x'.repeat(3_000),
    '',
  ),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
);
const breakerNames = ['translate translate-en-es@1.0.0', 'load translate-en-es@1.0.0', 'S3'];

function segment({ name, schema }: Parameter): fc.Arbitrary<string> {
  const known: fc.Arbitrary<Json> =
    name === 'name'
      ? fc.constantFrom(...breakerNames)
      : fc.oneof(valuesOf(schema, operatorText), fc.constant('language-detection'));
  return fc.oneof({ weight: 3, arbitrary: known.map((value) => encodeURIComponent(String(value))) }, oddSegments);
}

function targetOf(template: string, parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const filled = fc
    .tuple(...inPath.map(segment))
    .map((values) =>
      inPath.reduce((path, { name }, index) => path.replace(`{${name}}`, () => values[index] ?? ''), template),
    );
  const described = inQuery.map((parameter) =>
    valuesOf(parameter.schema, operatorText).map((value) => `${parameter.name}=${encodeURIComponent(String(value))}`),
  );
  const odd = fc.constantFrom(
    '',
    '?',
    '?%',
    '?a=b&a=c',
    '?limit=0',
    '?limit=1e3',
    '?limit=&limit=2',
    '?api_key=',
    '?q=%ff&source=en&target=es',
    '?__proto__[a]=1',
  );
  const query = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    ...described.map((one) => one.map((text) => `?${text}`)),
    odd,
  );
  return fc.tuple(filled, query).map(([path, search]) => path + search);
}

function requestsOf(template: string, method: string, operation: DescribedOperation): fc.Arbitrary<FuzzedRequest> {
  const parameters = operation.parameters as unknown as readonly Parameter[];
  const content = operation.requestBody?.['content'] as Parameters<typeof bodiesFor>[0] | undefined;
  const text = template.startsWith('/admin') ? operatorText : userText;
  const anywhere: Record<MediaType, { readonly schema: Schema }> = {
    'application/json': { schema: { type: 'object' } },
    'application/x-www-form-urlencoded': { schema: { type: 'object' } },
    'multipart/form-data': { schema: { type: 'object' } },
  };
  const bodies = content === undefined ? anywhere : content;
  const absent = { weight: content === undefined ? 8 : 1, arbitrary: fc.constant<Body | undefined>(undefined) };
  const described = parameters
    .filter((parameter) => parameter.in === 'header')
    .map(({ name, schema }) =>
      valuesOf(schema, headerText).map((value) => [name.toLowerCase(), String(value)] as const),
    );
  const header = fc.oneof({ weight: 2, arbitrary: fc.oneof(...described) }, oddHeaders);
  return fc
    .record({
      method: fc.oneof(
        { weight: 15, arbitrary: fc.constant(method) },
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'PROPFIND'),
      ),
      target: targetOf(template, parameters),
      role: fc.oneof(
        { weight: 3, arbitrary: fc.constant<Role>(template.startsWith('/admin') ? 'admin' : 'infer') },
        fc.constantFrom(...roles),
      ),
      keyIn: fc.constantFrom('header', 'header', 'query'),
      address,
      headers: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(header, { maxLength: 3 })),
      body: fc.oneof(absent, { weight: 8, arbitrary: bodiesFor(bodies, text) as fc.Arbitrary<Body | undefined> }),
      chunked: fc.boolean(),
    })
    .map(({ address: from, headers, body, ...rest }) => ({
      ...rest,
      headers: [from, ...(body?.headers ?? []), ...headers],
      body: body?.bytes,
    })) as fc.Arbitrary<FuzzedRequest>;
}

/** Requests for nothing that is there, or for what the gateway does not route. */
const elsewhere: fc.Arbitrary<FuzzedRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'OPTIONS', 'HEAD', 'DELETE'),
  target: fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '/translate/',
      '/TRANSLATE',
      '/translate/../detect',
      '/instance/health',
      '/pipeline',
      '/pipeline/',
      '/admin',
      '/admin/',
      '/health/',
      '/docs/x',
      '/%',
      '/%ff',
      '/dashboard/../health',
    ),
    fc.array(oddSegments, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
  ),
  role: fc.constantFrom(...roles),
  keyIn: fc.constant('header' as const),
  headers: fc.tuple(address),
  body: fc.constant(undefined),
  chunked: fc.constant(false),
});

const all = Object.entries(paths).flatMap(([template, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    weight: operation.requestBody === undefined ? 1 : template.startsWith('/admin') ? 1 : 4,
    arbitrary: requestsOf(template, method.toUpperCase(), operation),
  })),
);

/** Requests to every described route, and some beside them. */
export const requests: fc.Arbitrary<FuzzedRequest> = fc.oneof(...all, { weight: 2, arbitrary: elsewhere });

/** A shell command that sends it again; `$KEY` is its caller's. */
export function asCommand({ method, target, role, keyIn, headers, body, chunked }: FuzzedRequest): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const shown = [
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(chunked ? ['transfer-encoding: chunked'] : []),
  ].map((header) => `-H ${quoted(header)}`);
  const bytes = body === undefined ? '' : `printf ${body.toString('hex')} | xxd -r -p | `;
  const data = body === undefined ? '' : ' --data-binary @-';
  return `${bytes}curl -i --path-as-is -X ${method} "$URL"${quoted(target)} ${shown.join(' ')}${data}  # as ${role}, key in the ${keyIn}`;
}
