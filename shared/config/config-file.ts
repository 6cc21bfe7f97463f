import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import * as z from 'zod/mini';
import { admissionPartSchema } from './admission-schema.ts';
import { circuitBreakerPartSchema } from './circuit-breaker-schema.ts';
import { modelLoadingPartSchema } from './model-loading-schema.ts';
import { objectOf } from './section-schema.ts';
import { type Checked, type MemberPath, problemsOf } from './section-source.ts';

/** A configuration file: JSON that may have comments and trailing commas. */
export interface ConfigFile {
  /** As it was named, for messages. */
  readonly name: string;
  readonly text: string;
}

/** What a file, or a stage of it, says of the sections. */
export interface FilePart {
  /** By the section's name. */
  readonly sections: Readonly<Record<string, object | undefined>>;
  /** The name under which a person finds a member; the path begins with the section's name. */
  readonly place: (path: MemberPath) => string;
}

const part = objectOf({
  model_loading: z.optional(modelLoadingPartSchema),
  circuit_breaker: z.optional(circuitBreakerPartSchema),
  admission: z.optional(admissionPartSchema),
});
const content = z.extend(part, { stages: z.optional(z.record(z.string(), part, { error: 'an object' })) });

/**
 * What a file says, in rising order: its own part and, with a stage, the stage's. All stages are checked, whichever is
 * chosen.
 */
export function readConfigFile(file: ConfigFile, stage: string | undefined): Checked<readonly FilePart[]> {
  const parsed = parse(file);
  if ('problems' in parsed) return parsed;
  const placeOf = (path: MemberPath) => `${file.name}: ${path.length === 0 ? 'the file' : path.join('.')}`;
  const result = content.safeParse(parsed.value);
  if (!result.success) return { problems: problemsOf(result.error, placeOf) };
  const { stages, ...own } = result.data;
  const told: FilePart = { sections: own, place: placeOf };
  if (stage === undefined || stages === undefined) return { value: [told] };
  const chosen = Object.hasOwn(stages, stage) ? stages[stage] : undefined;
  if (chosen === undefined) {
    const known = Object.keys(stages).join(', ');
    return { problems: [`CASALINGUA_STAGE must be one of the stages of ${file.name}: ${known || 'it has none'}`] };
  }
  return { value: [told, { sections: chosen, place: (path) => placeOf(['stages', stage, ...path]) }] };
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
