import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import * as z from 'zod/mini';
import { modelLoadingPartSchema, objectOf } from './model-loading-schema.ts';
import { type Checked, type ModelLoadingSource, problemsOf } from './model-loading-source.ts';

/** A configuration file: JSON that may have comments and trailing commas. */
export interface ConfigFile {
  /** As it was named, for messages. */
  readonly name: string;
  readonly text: string;
}

const part = objectOf({ model_loading: z.optional(modelLoadingPartSchema) });
const content = z.extend(part, { stages: z.optional(z.record(z.string(), part, { error: 'an object' })) });

/**
 * What a file says, in rising order: its own part and, with a stage, the stage's. All stages are checked, whichever is
 * chosen.
 */
export function readConfigFile(file: ConfigFile, stage: string | undefined): Checked<readonly ModelLoadingSource[]> {
  const parsed = parse(file);
  if ('problems' in parsed) return parsed;
  const placeOf = (path: readonly string[]) => `${file.name}: ${path.length === 0 ? 'the file' : path.join('.')}`;
  const result = content.safeParse(parsed.value);
  if (!result.success) return { problems: problemsOf(result.error, placeOf) };
  const source = (given: z.infer<typeof part>, ...above: string[]): ModelLoadingSource => ({
    part: given.model_loading ?? {},
    place: (path) => placeOf([...above, 'model_loading', ...path]),
  });
  const { stages } = result.data;
  const own = source(result.data);
  if (stage === undefined || stages === undefined) return { value: [own] };
  const chosen = Object.hasOwn(stages, stage) ? stages[stage] : undefined;
  if (chosen === undefined) {
    const known = Object.keys(stages).join(', ');
    return { problems: [`CASALINGUA_STAGE must be one of the stages of ${file.name}: ${known || 'it has none'}`] };
  }
  return { value: [own, source(chosen, 'stages', stage)] };
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
