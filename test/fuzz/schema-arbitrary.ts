import fc from 'fast-check';

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** As much of JSON Schema as the description uses for what comes in. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly examples?: readonly Json[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

const LONGEST_TEXT = 60;
const LONGEST_LIST = 4;

/**
 * Values that a schema allows; those that it shows as examples more often than others.
 * @param text what a text without a pattern is made of
 * @param example of the whole value
 */
export function valuesOf(schema: Schema, text: fc.Arbitrary<string>, example?: Json): fc.Arbitrary<Json> {
  const { examples = [] } = schema;
  const any = anyOf(schema, text, example);
  return fc.oneof(
    any,
    ...(example === undefined ? [] : [fc.constant(example)]),
    ...(examples.length === 0 ? [] : [{ weight: 3, arbitrary: fc.constantFrom(...examples) }]),
  );
}

function anyOf(schema: Schema, text: fc.Arbitrary<string>, example: Json | undefined): fc.Arbitrary<Json> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return fc.oneof(...options.map((option) => valuesOf(option, text)));
  const { type } = schema;
  if (type !== undefined && typeof type !== 'string') {
    return fc.oneof(...type.map((one) => anyOf({ ...schema, type: one }, text, example)));
  }
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: Math.min(schema.maximum ?? 2 ** 31, 2 ** 31) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true });
    case 'string':
      return texts(schema, text);
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, text), { minLength: schema.minItems ?? 0, maxLength: LONGEST_LIST });
    case 'object':
      return objects(schema, text, example);
    default:
      throw new Error(`a schema of the type ${type} cannot be made values of`);
  }
}

function texts(schema: Schema, text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const { pattern, minLength = 0, maxLength = LONGEST_TEXT } = schema;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return text.map((one) => one.slice(0, maxLength).padEnd(minLength, 'x'));
}

function objects(schema: Schema, text: fc.Arbitrary<string>, example: Json | undefined): fc.Arbitrary<Json> {
  const { properties = {}, required = [] } = schema;
  const shown = typeof example === 'object' && example !== null && !Array.isArray(example) ? example : {};
  const members = Object.entries(properties).map(
    ([name, member]) => [name, valuesOf(member, text, (shown as Readonly<Record<string, Json>>)[name])] as const,
  );
  const requiredKeys = Object.keys(properties).filter((name) => required.includes(name));
  return fc.record(Object.fromEntries(members), { requiredKeys });
}
