import { html } from 'hono/html';
import type { JsonSchema } from './operation.ts';

type Html = ReturnType<typeof html>;

interface Member {
  /** E.g. `models[].name`. */
  readonly path: string;
  readonly type: Html;
  readonly isRequired: boolean;
  readonly description: string;
}

/** The members of a schema, those within members too, as a table; nothing where it has none. */
export function membersTable(schema: JsonSchema, caption: string): Html | '' {
  const members = membersOf(schema, '');
  if (members.length === 0) return '';
  return html`<table>
    <caption>${caption}</caption>
    <thead><tr><th scope="col">Member</th><th scope="col">Type</th><th scope="col">About</th></tr></thead>
    <tbody>${members.map(
      ({ path, type, isRequired, description }) => html`<tr>
        <th scope="row"><code>${path}</code>${isRequired ? '' : html` <small>optional</small>`}</th>
        <td>${type}</td><td>${prose(description)}</td></tr>`,
    )}</tbody></table>`;
}

/** A type in words, with links to those that have a name. */
export function typeInWords(schema: JsonSchema): Html {
  const { $ref, anyOf, oneOf, items, enum: values, const: value, type, format, additionalProperties } = schema;
  if (typeof $ref === 'string') {
    const name = $ref.slice($ref.lastIndexOf('/') + 1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  const options = schemasIn(anyOf ?? oneOf);
  if (options.length > 0) return html`${options.map((one, at) => html`${at === 0 ? '' : ' or '}${typeInWords(one)}`)}`;
  if (Array.isArray(values)) return html`${values.map((one, at) => html`${at === 0 ? '' : ', '}<code>${one}</code>`)}`;
  if (value !== undefined) return html`<code>${JSON.stringify(value)}</code>`;
  if (type === 'array' && isSchema(items)) return html`array of ${typeInWords(items)}`;
  if (isSchema(additionalProperties)) return html`map to ${typeInWords(additionalProperties)}`;
  const types = Array.isArray(type) ? type.join(' or ') : type;
  return html`${types ?? 'anything'}${format === 'date-time' ? ' (ISO 8601)' : ''}`;
}

/** Text in which \`code\` is marked. */
export function prose(text: string): Html {
  return html`${text.split('`').map((part, at) => (at % 2 === 0 ? part : html`<code>${part}</code>`))}`;
}

function membersOf(schema: JsonSchema, prefix: string): readonly Member[] {
  const { properties, required, items, anyOf, oneOf } = schema;
  if (isSchema(items)) return membersOf(items, `${prefix}[]`);
  const options = schemasIn(anyOf ?? oneOf);
  if (options.length > 0) return unique(options.flatMap((option) => membersOf(option, prefix)));
  if (!isSchema(properties)) return [];
  const names = Array.isArray(required) ? required : [];
  return Object.entries(properties).flatMap(([name, member]) => {
    if (!isSchema(member)) return [];
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const description = typeof member['description'] === 'string' ? member['description'] : '';
    const inner = membersOf(member, path);
    const type =
      inner.length > 0 ? html`${Array.isArray(member['type']) ? 'object' : outerType(member)}` : typeInWords(member);
    return [{ path, type, isRequired: names.includes(name), description }, ...inner];
  });
}

/** Of what has members of its own, which follow. */
function outerType(schema: JsonSchema): string {
  if (schema['type'] === 'array') return 'array';
  const options = schemasIn(schema['anyOf']);
  return options.some(({ type }) => type === 'null') ? 'object or null' : 'object';
}

/** Alternatives that share members have them once. */
function unique(members: readonly Member[]): readonly Member[] {
  return [...new Map(members.map((member) => [member.path, member])).values()];
}

function schemasIn(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isSchema) : [];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
