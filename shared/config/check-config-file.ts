import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import * as z from 'zod/mini';
import { lazy } from '../lazy.ts';
import { admissionPartSchema } from './admission-schema.ts';
import { circuitBreakerPartSchema } from './circuit-breaker-schema.ts';
import type { ConfigContent, ConfigFile } from './config-content.ts';
import { placesOf } from './config-file.ts';
import { modelLoadingPartSchema } from './model-loading-schema.ts';
import { objectOf } from './section-schema.ts';
import { type Checked, problemsOf } from './section-source.ts';

const contentSchema = lazy(() => {
  const part = objectOf({
    model_loading: z.optional(modelLoadingPartSchema()),
    circuit_breaker: z.optional(circuitBreakerPartSchema()),
    admission: z.optional(admissionPartSchema()),
  });
  return z.extend(part, { stages: z.optional(z.record(z.string(), part, { error: 'an object' })) });
});

/** All of a file that was not checked before, each of its stages too. */
export function checkConfigFile(file: ConfigFile): Checked<ConfigContent> {
  const parsed = parse(file);
  if ('problems' in parsed) return parsed;
  const result = contentSchema().safeParse(parsed.value);
  return result.success ? { value: result.data } : { problems: problemsOf(result.error, placesOf(file)) };
}

function parse({ name, text }: ConfigFile): Checked<unknown> {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) {
    const what = printParseErrorCode(first.error)
      .replaceAll(/\B[A-Z]/g, (letter) => ` ${letter}`)
      .toLowerCase();
    return { problems: [`${name} must be JSON: ${what} at ${lineAndColumn(text, first.offset)}`] };
  }
  const twice: string[] = [];
  const value = tree === undefined ? undefined : jsonOf(tree, [], twice);
  if (twice.length > 0) return { problems: twice.map((path) => `${name}: ${path} must be given once`) };
  return { value };
}

/** The library's own conversion takes the last of equal names without a word. */
function jsonOf(node: Node, path: readonly string[], twice: string[]): unknown {
  const children = node.children ?? [];
  if (node.type === 'array') return children.map((child, index) => jsonOf(child, [...path, String(index)], twice));
  if (node.type !== 'object') return node.value;
  const members = new Map<string, unknown>();
  for (const { children: [key, value] = [] } of children) {
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (members.has(name)) twice.push([...path, name].join('.'));
    members.set(name, jsonOf(value, [...path, name], twice));
  }
  return Object.fromEntries(members);
}

function lineAndColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
