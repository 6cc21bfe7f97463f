import type { FilePart } from './config-file.ts';
import { merge } from './merge.ts';
import { type Checked, type MemberPath, problemsOf, type Section, type SectionSource } from './section-source.ts';
import { readVariables } from './section-variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A section as it holds in the end, and where each of its values was given. */
export interface ReadSection<Json> {
  readonly json: Json;
  readonly told: (path: MemberPath) => string;
}

/** The defaults, the file's parts in their order, the environment; later wins, member by member, lists as a whole. */
export function readSection<Json extends object>(
  section: Section<Json>,
  env: Environment,
  file: Checked<readonly FilePart[]>,
): Checked<ReadSection<Json>> {
  const fromVariables = readVariables(env, section);
  const problems = [file, fromVariables].flatMap((checked) => ('problems' in checked ? checked.problems : []));
  if ('problems' in file || 'problems' in fromVariables) return { problems };

  const defaults: SectionSource = {
    part: section.defaults,
    place: (path) => `the default of ${section.name}.${path.join('.')}`,
  };
  const fromFile = file.value.map(
    ({ sections, place }): SectionSource => ({
      part: sections[section.name] ?? {},
      place: (path) => place([section.name, ...path]),
    }),
  );
  const sources = [defaults, ...fromFile, fromVariables.value];
  const merged = section.schema.safeParse(sources.map(({ part }) => part).reduce<unknown>(merge, {}));
  const told = (path: MemberPath) => (sources.findLast(({ part }) => has(part, path)) ?? defaults).place(path);
  return merged.success ? { value: { json: merged.data, told } } : { problems: problemsOf(merged.error, told) };
}

function has(part: object, [name = '', ...rest]: MemberPath): boolean {
  const value: unknown = Object.getOwnPropertyDescriptor(part, name)?.value;
  if (rest.length === 0 || typeof value !== 'object' || value === null) return value !== undefined;
  return has(value, rest);
}
