import * as z from 'zod/mini';
import { merge } from './merge.ts';
import { modelLoadingSchema } from './model-loading-schema.ts';
import { type Checked, checkPart, type MemberPath, type ModelLoadingSource } from './model-loading-source.ts';

const PREFIX = 'CASALINGUA_MODEL_LOADING_';

type Kind = 'number' | 'boolean' | 'list' | 'text';

interface Variable {
  readonly path: MemberPath;
  readonly kind: Kind;
}

/** Every variable by its name, which mirrors the member's path: `CASALINGUA_MODEL_LOADING_RETRY_MAX_ATTEMPTS`. */
export const modelLoadingVariables: ReadonlyMap<string, Variable> = new Map(
  variablesOf(modelLoadingSchema, []).map((variable) => [nameOf(variable.path), variable]),
);

/** What the environment says of model loading; an empty variable is an absent one. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): Checked<ModelLoadingSource> {
  const parts: unknown[] = [];
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === '') continue;
    const variable = modelLoadingVariables.get(name);
    if (variable === undefined) unknown.push(`${name} is not a setting: docs/configuration.md has them all`);
    else parts.push(at(variable.path, fromText(text, variable.kind)));
  }
  const checked = checkPart(parts.reduce(merge, {}), placeOf);
  if (unknown.length === 0) return checked;
  return { problems: 'problems' in checked ? [...unknown, ...checked.problems] : unknown };
}

function nameOf(path: MemberPath): string {
  return PREFIX + path.join('_').toUpperCase();
}

/** A list has one variable, so its elements are named as "each of". */
function placeOf(path: MemberPath): string {
  const inList = /^\d+$/.test(path.at(-1) ?? '');
  return inList ? `each of ${nameOf(path.slice(0, -1))}` : nameOf(path);
}

function variablesOf(schema: z.core.$ZodType, path: MemberPath): readonly Variable[] {
  if (!(schema instanceof z.ZodMiniObject)) return [{ path, kind: kindOf(schema) }];
  const members: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.entries(members).flatMap(([name, member]) => variablesOf(member, [...path, name]));
}

function kindOf(schema: z.core.$ZodType): Kind {
  if (schema instanceof z.ZodMiniOptional) return kindOf(schema._zod.def.innerType);
  if (schema instanceof z.ZodMiniNumber) return 'number';
  if (schema instanceof z.ZodMiniBoolean) return 'boolean';
  return schema instanceof z.ZodMiniArray ? 'list' : 'text';
}

/** What can't be read stays text, which the schema then refuses. */
function fromText(given: string, kind: Kind): unknown {
  const text = given.trim();
  switch (kind) {
    case 'number':
      return text === '' ? text : Number(text);
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : text);
    case 'list':
      return text.split(',').flatMap((id) => (id.trim() === '' ? [] : [id.trim()]));
    case 'text':
      return text;
  }
}

/** E.g. `{ retry: { max_attempts: 3 } }`. */
function at(path: MemberPath, value: unknown): unknown {
  return path.reduceRight((below: unknown, name) => ({ [name]: below }), value);
}
