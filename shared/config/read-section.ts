import type { Checks } from './checks.ts';
import type { FilePart } from './config-file.ts';
import { merge } from './merge.ts';
import { placeOf, prefixOf, variablesFor } from './section-names.ts';
import type { Checked, MemberPath, Section, SectionSource } from './section-source.ts';

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
  checks: () => Checks,
): Checked<ReadSection<Json>> {
  const hasVariables = variablesFor(section, env).length > 0;
  const fromVariables: Checked<SectionSource> = hasVariables
    ? checks().section(env, section)
    : { value: { part: {}, place: (path) => placeOf(prefixOf(section), path) } };
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
  // The defaults are whole and each part is valid, so what they make together is both.
  const json = sources.map(({ part }) => part).reduce<unknown>(merge, {}) as Json;
  const told = (path: MemberPath) => (sources.findLast(({ part }) => has(part, path)) ?? defaults).place(path);
  return { value: { json, told } };
}

function has(part: object, [name = '', ...rest]: MemberPath): boolean {
  const value: unknown = Object.getOwnPropertyDescriptor(part, name)?.value;
  if (rest.length === 0 || typeof value !== 'object' || value === null) return value !== undefined;
  return has(value, rest);
}
