import type { IncomingHttpHeaders } from 'node:http';
import { invalidRange, preconditionFailed } from './errors.ts';

/** First and last byte, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range that a `Range` header asks for, or undefined where S3 answers with the whole object (no header, a form
 * that it does not know, several ranges). @throws S3Error InvalidRange
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const wanted = Number(last);
    if (wanted === 0 || size === 0) throw invalidRange();
    return { start: Math.max(0, size - wanted), end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw invalidRange();
  return { start, end };
}

/** Whether a read is answered with 304. @throws S3Error PreconditionFailed */
export function isNotModified(headers: IncomingHttpHeaders, etag: string): boolean {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch !== undefined && !names(ifMatch, etag)) throw preconditionFailed();
  return ifNoneMatch !== undefined && names(ifNoneMatch, etag);
}

/** Whether a write may replace what is there (undefined: nothing). @throws S3Error PreconditionFailed */
export function checkWrite(headers: IncomingHttpHeaders, etag: string | undefined): void {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch !== undefined && (etag === undefined || !names(ifMatch, etag))) throw preconditionFailed();
  if (ifNoneMatch !== undefined && etag !== undefined && names(ifNoneMatch, etag)) throw preconditionFailed();
}

function names(header: string, etag: string): boolean {
  return header.split(',').some((entry) => {
    const wanted = entry.trim();
    return wanted === '*' || wanted.replaceAll('"', '') === etag;
  });
}
