import type { MemberPath, Section } from './section-source.ts';

/** How the variables of a section begin. */
export function prefixOf({ name }: Section<object>): string {
  return `CASALINGUA_${name.toUpperCase()}_`;
}

/** The variables of the environment that are about a section, known ones or not. */
export function variablesFor(
  section: Section<object>,
  env: Readonly<Record<string, string | undefined>>,
): readonly (readonly [name: string, text: string])[] {
  const prefix = prefixOf(section);
  return Object.entries(env).flatMap(([name, text]) =>
    name.startsWith(prefix) && text ? [[name, text] as const] : [],
  );
}

export function nameOf(prefix: string, path: MemberPath): string {
  return prefix + path.join('_').toUpperCase();
}

/** A list has one variable, so its elements are named as "each of". */
export function placeOf(prefix: string, path: MemberPath): string {
  const inList = /^\d+$/.test(path.at(-1) ?? '');
  return inList ? `each of ${nameOf(prefix, path.slice(0, -1))}` : nameOf(prefix, path);
}
