import type { Context, MiddlewareHandler } from 'hono';
import type * as z from 'zod/mini';
import type { HttpEnv } from './environment.ts';
import { BadRequestError } from './errors.ts';

/** Middleware that leaves what it has read and checked for `c.req.valid('json')`; `In` is what callers send, for the typed client. */
export type Takes<In, Out> = MiddlewareHandler<HttpEnv, string, { in: { json: In }; out: { json: Out } }>;

/** Reads a body as `read` does, before the route's own work. */
export function takes<In, Out extends object>(read: (c: Context<HttpEnv>) => Promise<Out>): Takes<In, Out> {
  return async function takes(c, next) {
    c.req.addValidatedData('json', await read(c));
    await next();
  };
}

/** A JSON body that the schema describes. @throws BadRequestError that names the first member that is wrong, and no value */
export async function readJson<Schema extends z.ZodMiniType>(
  c: Context<HttpEnv>,
  schema: Schema,
): Promise<z.output<Schema>> {
  let body: unknown;
  try {
    body = await c.req.json();
  } catch {
    throw new BadRequestError('the body is not valid JSON');
  }
  return checkJson(body, schema);
}

/** @throws BadRequestError as `readJson` */
export function checkJson<Schema extends z.ZodMiniType>(body: unknown, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') throw new BadRequestError('the body has a member that is not known here');
  if (issue === undefined || issue.path.length === 0) throw new BadRequestError('the body is not a JSON object');
  throw new BadRequestError(`${issue.path.map(String).join('.')} is not ${issue.message}`);
}
