import * as z from 'zod/mini';
import type { ByteRange } from './ranges.ts';

/** What a journal is about: a source that differs in any of it makes the journal void. */
export interface JournalHeader {
  readonly etag: string;
  readonly sha256: string;
  /** Bytes of the whole file. */
  readonly size: number;
}

export interface Journal {
  readonly header: JournalHeader;
  readonly finished: readonly ByteRange[];
}

const headerSchema = z.object({ etag: z.string(), sha256: z.string(), size: z.int() });
const rangeSchema = z.tuple([z.int().check(z.gte(0)), z.int()]);

/** One line of JSON each, the header first, so that a range is added by appending. */
export function headerLine(header: JournalHeader): string {
  return `${JSON.stringify(header)}\n`;
}

export function rangeLine(range: ByteRange): string {
  return `${JSON.stringify([range.start, range.end])}\n`;
}

/** Reads as far as the text makes sense: a process may have been killed in the middle of a line. */
export function parseJournal(text: string): Journal | undefined {
  const [first, ...rest] = text.split('\n').slice(0, -1);
  const header = headerSchema.safeParse(parseJson(first));
  if (!header.success) {
    return undefined;
  }
  const finished: ByteRange[] = [];
  for (const line of rest) {
    const range = rangeSchema.safeParse(parseJson(line));
    if (!range.success || range.data[1] < range.data[0] || range.data[1] > header.data.size) {
      break;
    }
    finished.push({ start: range.data[0], end: range.data[1] });
  }
  return { header: header.data, finished };
}

function parseJson(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '');
  } catch {
    return undefined;
  }
}
