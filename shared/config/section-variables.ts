import * as z from 'zod/mini';
import { admissionSchemas } from './admission-schema.ts';
import { circuitBreakerSchemas } from './circuit-breaker-schema.ts';
import { merge } from './merge.ts';
import { modelLoadingSchemas } from './model-loading-schema.ts';
import { nameOf, placeOf, prefixOf, variablesFor } from './section-names.ts';
import { type Checked, type MemberPath, problemsOf, type Section, type SectionSource } from './section-source.ts';

type Kind = 'number' | 'boolean' | 'list' | 'text';

interface Variable {
  readonly path: MemberPath;
  readonly kind: Kind;
}

/** Every variable of a section by its name, which mirrors the member's path: `CASALINGUA_MODEL_LOADING_RETRY_MAX_ATTEMPTS`. */
export function variablesOf(section: Section<object>): ReadonlyMap<string, Variable> {
  const prefix = prefixOf(section);
  return new Map(
    membersOf(schemasOf(section).schema(), []).map((variable) => [nameOf(prefix, variable.path), variable]),
  );
}

/** What the environment says of a section; an empty variable is an absent one. */
export function readSectionVariables(
  env: Readonly<Record<string, string | undefined>>,
  section: Section<object>,
): Checked<SectionSource> {
  const prefix = prefixOf(section);
  const place = (path: MemberPath) => placeOf(prefix, path);
  const variables = variablesOf(section);
  const parts: unknown[] = [];
  const unknown: string[] = [];
  for (const [name, text] of variablesFor(section, env)) {
    const variable = variables.get(name);
    if (variable === undefined) unknown.push(`${name} is not a setting: docs/configuration.md has them all`);
    else parts.push(at(variable.path, fromText(text, variable.kind)));
  }
  const result = schemasOf(section).part().safeParse(parts.reduce(merge, {}));
  const problems = result.success ? unknown : [...unknown, ...problemsOf(result.error, place)];
  return result.success && problems.length === 0 ? { value: { part: result.data, place } } : { problems };
}

function schemasOf({ name }: Section<object>) {
  return { model_loading: modelLoadingSchemas, circuit_breaker: circuitBreakerSchemas, admission: admissionSchemas }[
    name
  ];
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
