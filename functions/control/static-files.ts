import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Context } from 'hono';
import type { HttpEnv } from '../../shared/http/environment.ts';
import { NotFoundError } from '../../shared/http/errors.ts';

/** A file of the bundle as it is served. */
export interface StaticFile {
  readonly content: Uint8Array<ArrayBuffer>;
  /** Strong: by the content. */
  readonly etag: string;
}

/** A file beside the bundle, by its name; undefined when there is none. Read once. */
export type StaticFiles = (name: string) => Promise<StaticFile | undefined>;

/** @param folder of the bundle, ends with a slash; undefined: there are no files */
export function createStaticFiles(folder: URL | undefined): StaticFiles {
  const files = new Map<string, Promise<StaticFile | undefined>>();
  return (name) => {
    const known = files.get(name);
    if (known !== undefined) return known;
    const file = read(name);
    files.set(name, file);
    return file;
  };

  async function read(name: string): Promise<StaticFile | undefined> {
    if (folder === undefined) return undefined;
    try {
      const content = await readFile(new URL(name, folder));
      return { content, etag: `"${createHash('sha256').update(content).digest('base64url')}"` };
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
      throw thrown;
    }
  }
}

/** A page that a deployment changes is asked for each time, and sent when it has changed. @throws NotFoundError */
export async function serveFile(
  c: Context<HttpEnv>,
  files: StaticFiles,
  { name, mediaType, policy }: { readonly name: string; readonly mediaType: string; readonly policy?: string },
): Promise<Response> {
  const file = await files(name);
  if (file === undefined) throw new NotFoundError('this was built without it');
  c.header('etag', file.etag);
  c.header('cache-control', 'public, no-cache');
  if (policy !== undefined) c.header('content-security-policy', policy);
  if (isKnown(c.req.header('if-none-match'), file.etag)) return c.body(null, 304);
  c.header('content-type', mediaType);
  return c.body(file.content);
}

/** RFC 9110: any of those that the caller has, compared weakly. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
