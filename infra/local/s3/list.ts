import type { StoredObject } from './objects.ts';

export interface ListRequest {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly maxKeys: number;
  readonly startAfter: string | undefined;
  readonly continuationToken: string | undefined;
}

export interface ListPage {
  readonly objects: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  /** Present when there is more. */
  readonly nextToken: string | undefined;
}

type Entry = { readonly prefix: string } | { readonly object: StoredObject };

/** One page of ListObjectsV2 over objects in key order: keys with a common part up to the delimiter count as one entry. */
export function listPage(sorted: readonly StoredObject[], request: ListRequest): ListPage {
  const entries: Entry[] = [];
  const seen = new Set<string>();
  for (const object of sorted) {
    if (!object.key.startsWith(request.prefix) || !isAfter(object.key, request)) continue;
    const cut = request.delimiter ? object.key.indexOf(request.delimiter, request.prefix.length) : -1;
    if (cut < 0) {
      entries.push({ object });
      continue;
    }
    const prefix = object.key.slice(0, cut + (request.delimiter ?? '').length);
    if (!seen.has(prefix)) entries.push({ prefix });
    seen.add(prefix);
  }
  const page = entries.slice(0, request.maxKeys);
  const last = page.at(-1);
  return {
    objects: page.flatMap((entry) => ('object' in entry ? [entry.object] : [])),
    commonPrefixes: page.flatMap((entry) => ('prefix' in entry ? [entry.prefix] : [])),
    nextToken: entries.length > page.length && last !== undefined ? tokenOf(last) : undefined,
  };
}

/** A token says whether it ends at a key or after everything under a prefix. */
function tokenOf(entry: Entry): string {
  return Buffer.from('object' in entry ? `k${entry.object.key}` : `p${entry.prefix}`).toString('base64url');
}

function isAfter(key: string, request: ListRequest): boolean {
  if (request.continuationToken !== undefined) {
    const token = Buffer.from(request.continuationToken, 'base64url').toString();
    const from = token.slice(1);
    return comesAfter(key, from) && !(token.startsWith('p') && key.startsWith(from));
  }
  return request.startAfter === undefined || comesAfter(key, request.startAfter);
}

function comesAfter(key: string, other: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}
