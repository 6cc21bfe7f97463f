import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Json, type Schema, valuesOf } from './schema-arbitrary.ts';

export type MediaType = 'application/json' | 'application/x-www-form-urlencoded' | 'multipart/form-data';

/** A body and the headers that are about it. */
export interface Body {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly bytes: Buffer;
}

/** Members in their order: a name may come twice, or be one that every object has. */
type Members = readonly (readonly [name: string, value: RawJson])[];
/** A value, or JSON as it stands, also where it is none. */
type RawJson = Json | { readonly raw: string };

const BOUNDARY = 'fuzzed';
const encoder = new TextEncoder();

/** Numbers that are none, or not the ones that they look like. */
const oddNumbers = ['NaN', '-Infinity', '1e999', '-0', '9007199254740993', '0x10', '1_000', '٣', '1e-400', '007'];
const ownNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'length', '', 'q[]', 'q.0'];

const nested = (depth: number): RawJson => ({ raw: '['.repeat(depth) + ']'.repeat(depth) });

/** What does not belong where it is put. @param text what a user might have written */
function intruders(text: fc.Arbitrary<string>): fc.Arbitrary<RawJson> {
  return fc.oneof(
    fc.constantFrom<RawJson>(null, true, 0, -1, 1.5, '', ' ', [], {}, [null], [[]], [''], { toString: 1 }),
    fc.constantFrom(...oddNumbers).chain((number) => fc.constantFrom<RawJson>(number, { raw: number })),
    fc.constantFrom(
      '\u0000',
      '\ud800',
      '\ufeff',
      '\u202e',
      '🏳️‍🌈',
      'e\u0301',
      '\r\n',
      '<p>',
      '<!--',
      '&#x0;',
      '%00',
      '{{1}}',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.integer({ min: 1, max: 5_000 }).map(nested),
    fc
      .tuple(text, fc.constantFrom(20, 2_000, 60_000))
      .map(([one, times]) => (one || 'a').repeat(times).slice(0, 1_200_000)),
    fc.integer({ min: 90, max: 2_000 }).map((count) => Array.from({ length: count }, () => 'a')),
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  );
}

type Change = (members: Members) => Members;

function changes(text: fc.Arbitrary<string>): fc.Arbitrary<Change> {
  const at = fc.nat({ max: 20 });
  const intruder = intruders(text);
  const indexOf = (members: Members, index: number) => (members.length === 0 ? -1 : index % members.length);
  return fc.oneof(
    at.map(
      (index): Change =>
        (members) =>
          members.filter((_, one) => one !== indexOf(members, index)),
    ),
    fc.tuple(at, intruder).map(
      ([index, value]): Change =>
        (members) =>
          members.map(([name, old], one) => [name, one === indexOf(members, index) ? value : old] as const),
    ),
    fc.tuple(fc.oneof(fc.constantFrom(...ownNames), text), intruder).map(
      ([name, value]): Change =>
        (members) => [...members, [name, value]],
    ),
    at.map(
      (index): Change =>
        (members) => [...members, ...members.slice(indexOf(members, index))],
    ),
  );
}

/** Bodies for a route: right ones, and right ones with something wrong in their members, their bytes or their headers. */
export function bodiesFor(
  content: Readonly<Partial<Record<MediaType, { readonly schema: Schema; readonly example?: Json }>>>,
  text: fc.Arbitrary<string>,
): fc.Arbitrary<Body> {
  const types = Object.keys(content) as MediaType[];
  return fc.constantFrom(...types).chain((type) => {
    const { schema = {}, example } = content[type] ?? {};
    const right = valuesOf(schema, text, example).map((value): Members => Object.entries(value as object));
    const members = fc
      .tuple(right, fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(changes(text), { maxLength: 3 })))
      .map(([before, steps]) => steps.reduce((all, step) => step(all), before));
    const written = members.map((all) => write(type, all));
    return fc.oneof(
      { weight: 6, arbitrary: written },
      { weight: 2, arbitrary: damaged(written) },
      mislabelled(written),
    );
  });
}

function write(type: MediaType, members: Members): Body {
  const label = (value: string) => [['content-type', value]] as const;
  switch (type) {
    case 'application/json':
      return { headers: label(type), bytes: Buffer.from(asJson(members)) };
    case 'application/x-www-form-urlencoded':
      return { headers: label(type), bytes: Buffer.from(new URLSearchParams(asFields(members)).toString()) };
    case 'multipart/form-data':
      return { headers: label(`${type}; boundary=${BOUNDARY}`), bytes: Buffer.from(asParts(asFields(members))) };
  }
}

const asJson = (members: Members) =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}:${rawOf(value)}`).join(',')}}`;

function rawOf(value: RawJson): string {
  const raw = typeof value === 'object' && value !== null && 'raw' in value ? value['raw'] : undefined;
  return typeof raw === 'string' ? raw : JSON.stringify(value);
}

const asFields = (members: Members): [string, string][] =>
  members.flatMap(([name, value]) => {
    if (Array.isArray(value)) return value.map((one): [string, string] => [name, String(one)]);
    return [[name, typeof value === 'string' ? value : rawOf(value)] satisfies [string, string]];
  });

const asParts = (fields: readonly (readonly [string, string])[]) =>
  `${fields
    .map(([name, value]) => {
      const file = name === 'api_key' ? '; filename="key.txt"\r\ncontent-type: text/plain' : '';
      return `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${encodeURIComponent(name)}"${file}\r\n\r\n${value}\r\n`;
    })
    .join('')}--${BOUNDARY}--\r\n`;

/** Cut off, with other bytes in it, or in another encoding than they say. */
function damaged(bodies: fc.Arbitrary<Body>): fc.Arbitrary<Body> {
  const damage = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }).map((part) => (bytes: Buffer) => bytes.subarray(0, bytes.length * part)),
    fc
      .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([part, strange]) => (bytes: Buffer) => {
        const at = Math.floor(bytes.length * part);
        return Buffer.concat([bytes.subarray(0, at), strange, bytes.subarray(at)]);
      }),
    fc.constantFrom(
      (bytes: Buffer) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
      (bytes: Buffer) => Buffer.from(bytes.toString(), 'utf16le'),
      (bytes: Buffer) => Buffer.concat([bytes, bytes]),
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replaceAll(BOUNDARY, 'other'), 'latin1'),
      () => Buffer.from(encoder.encode('null')),
      () => Buffer.from('[{"q":"a"}]'),
      () => Buffer.alloc(0),
      () => Buffer.alloc(1_100_000, 'a'),
    ),
  );
  return fc.tuple(bodies, damage).map(([{ headers, bytes }, hurt]) => ({ headers, bytes: hurt(bytes) }));
}

/** Under another media type, or compressed, or said to be. */
function mislabelled(bodies: fc.Arbitrary<Body>): fc.Arbitrary<Body> {
  const typed = fc.constantFrom(
    undefined,
    '',
    'text/plain',
    'application/json',
    'application/json; charset=utf-16',
    'APPLICATION/JSON;;;',
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary="${'b'.repeat(300)}"`,
    'multipart/form-data; boundary=äöü',
    '*/*',
  );
  return fc
    .tuple(bodies, typed, fc.constantFrom('as said', 'gzip', 'not gzip'))
    .map(([{ headers, bytes }, type, packed]) => ({
      headers: [
        ...(packed === 'as said' ? (type === undefined ? [] : ([['content-type', type]] as const)) : headers),
        ...(packed === 'as said' ? [] : ([['content-encoding', 'gzip']] as const)),
      ],
      bytes: packed === 'gzip' ? gzipSync(bytes) : bytes,
    }));
}
