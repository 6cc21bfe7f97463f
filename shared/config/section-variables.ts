import * as z from 'zod/mini';
import { merge } from './merge.ts';
import { type Checked, type MemberPath, problemsOf, type Section, type SectionSource } from './section-source.ts';

type Kind = 'number' | 'boolean' | 'list' | 'text';

interface Variable {
  readonly path: MemberPath;
  readonly kind: Kind;
}

/** Every variable of a section by its name, which mirrors the member's path: `CASALINGUA_MODEL_LOADING_RETRY_MAX_ATTEMPTS`. */
export function variablesOf<Json extends object>(section: Section<Json>): ReadonlyMap<string, Variable> {
  const prefix = prefixOf(section);
  return new Map(membersOf(section.schema, []).map((variable) => [nameOf(prefix, variable.path), variable]));
}

/** What the environment says of a section; an empty variable is an absent one. */
export function readVariables<Json extends object>(
  env: Readonly<Record<string, string | undefined>>,
  section: Section<Json>,
): Checked<SectionSource> {
  const prefix = prefixOf(section);
  const variables = variablesOf(section);
  const parts: unknown[] = [];
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(prefix) || text === undefined || text === '') continue;
    const variable = variables.get(name);
    if (variable === undefined) unknown.push(`${name} is not a setting: docs/configuration.md has them all`);
    else parts.push(at(variable.path, fromText(text, variable.kind)));
  }
  const place = (path: MemberPath) => placeOf(prefix, path);
  const result = section.part.safeParse(parts.reduce(merge, {}));
  const problems = result.success ? unknown : [...unknown, ...problemsOf(result.error, place)];
  return result.success && problems.length === 0 ? { value: { part: result.data, place } } : { problems };
}

function prefixOf({ name }: Pick<Section<object>, 'name'>): string {
  return `CASALINGUA_${name.toUpperCase()}_`;
}

function nameOf(prefix: string, path: MemberPath): string {
  return prefix + path.join('_').toUpperCase();
}

/** A list has one variable, so its elements are named as "each of". */
function placeOf(prefix: string, path: MemberPath): string {
  const inList = /^\d+$/.test(path.at(-1) ?? '');
  return inList ? `each of ${nameOf(prefix, path.slice(0, -1))}` : nameOf(prefix, path);
}

function membersOf(schema: z.core.$ZodType, path: MemberPath): readonly Variable[] {
  if (!(schema instanceof z.ZodMiniObject)) return [{ path, kind: kindOf(schema) }];
  const members: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.entries(members).flatMap(([name, member]) => membersOf(member, [...path, name]));
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
