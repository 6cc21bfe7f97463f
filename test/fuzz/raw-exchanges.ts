import fc from 'fast-check';
import { MARKER } from './requests.ts';

/** Bytes for a connection, in the writes in which they go. */
export interface RawExchange {
  readonly parts: readonly Buffer[];
  /** Whether the client is gone before it can be answered; otherwise it only ends its own side. */
  readonly hangsUp: boolean;
}

const json = JSON.stringify({ q: `I need help. ${MARKER}`, source: 'en', target: 'es' });
const right = ['host: localhost', 'content-type: application/json'];

const requestLines = fc.constantFrom(
  'POST /translate HTTP/1.1',
  'POST /detect HTTP/1.0',
  'GET /languages HTTP/1.1',
  'GET /health HTTP/1.1',
  'GET http://[::1 HTTP/1.1',
  'GET http://example.org/health HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT /translate HTTP/1.1',
  'POST translate HTTP/1.1',
  'GET /ä HTTP/1.1',
  'GET /\u0000 HTTP/1.1',
  'POST /translate HTTP/9.9',
  'POST /translate',
  'PRI * HTTP/2.0\r\n\r\nSM',
  'TRANSLATE /translate HTTP/1.1',
  '',
);
const oddHeaders = fc.constantFrom(
  'host: a b',
  'host: [',
  'host: localhost:99999',
  'host:',
  'no colon',
  ': no name',
  'a\u0000: b',
  'a: b\u0000c',
  ' folded: more',
  `long: ${'x'.repeat(20_000)}`,
  'content-length: 5',
  'content-length: -1',
  'content-length: 1e3',
  'content-length: 99999999999999999999',
  `content-length: ${json.length + 10}`,
  'transfer-encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'transfer-encoding: identity',
  'expect: 100-continue',
  'expect: miracles',
  'upgrade: websocket\r\nconnection: upgrade',
  'connection: close',
  'content-type: multipart/form-data; boundary=b',
  'content-encoding: br',
);
const bodies = fc.oneof(
  fc.constantFrom(
    json,
    '',
    `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`,
    `${json.length.toString(16)}\r\n${json}`,
    'zz\r\nabc\r\n',
    'ffffffffffffffff\r\n',
    '-5\r\nabcde\r\n0\r\n\r\n',
    `5;${'e'.repeat(20_000)}\r\nabcde\r\n0\r\n\r\n`,
    `--b\r\ncontent-disposition: form-data; name="q"\r\n\r\n${MARKER}`,
    '--b\r\n\r\n\r\n--b--',
    '--b--',
    `GET /health HTTP/1.1\r\nhost: localhost\r\n\r\nGET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  ),
);

const nearlyHttp = fc
  .record({
    line: requestLines,
    headers: fc.tuple(fc.subarray(right), fc.array(oddHeaders, { maxLength: 2 }), fc.boolean()),
    body: bodies,
    lineEnd: fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
  })
  .map(({ line, headers: [some, odd, isCounted], body, lineEnd }) => {
    const counted = isCounted ? [`content-length: ${Buffer.byteLength(body)}`] : [];
    return Buffer.from([line, ...some, ...counted, ...odd, '', body].join(lineEnd), 'latin1');
  });
const cut = fc
  .tuple(nearlyHttp, fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([bytes, part]) => bytes.subarray(0, bytes.length * part));
const noHttp = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  // The beginning of TLS, a proxy's line, and nothing.
  fc
    .constantFrom('160301020001', Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n').toString('hex'), '')
    .map((hex) => Buffer.from(hex, 'hex')),
);

/** What is nearly HTTP, and what is not. */
export const rawExchanges: fc.Arbitrary<RawExchange> = fc
  .record({
    bytes: fc.oneof({ weight: 4, arbitrary: nearlyHttp }, { weight: 2, arbitrary: cut }, noHttp),
    split: fc.double({ min: 0, max: 1, noNaN: true }),
    hangsUp: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  })
  .map(({ bytes, split, hangsUp }) => {
    const at = Math.floor(bytes.length * split);
    return { parts: [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0), hangsUp };
  });

/** A shell command that sends it again. */
export function asRawCommand({ parts, hangsUp }: RawExchange): string {
  const sends = parts.map((part) => `printf ${part.toString('hex')} | xxd -r -p`).join('; ');
  return `{ ${sends || ':'}; } | nc -N "$HOST" "$PORT"${hangsUp ? '  # and hangs up' : ''}`;
}
