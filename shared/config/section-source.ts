import type * as z from 'zod/mini';

/** Where a member of a section stands, e.g. `['retry', 'max_attempts']`. */
export type MemberPath = readonly string[];

/** A part of the configuration that a file, its stages and the environment may all say something about. */
export interface Section<Json extends object> {
  /** Its member in a file; the environment's variables begin with it, too. */
  readonly name: 'model_loading' | 'circuit_breaker' | 'admission';
  readonly defaults: Json;
}

/** What checks a section. */
export interface SectionSchemas<Json extends object> {
  readonly schema: () => z.ZodMiniType<Json, Json>;
  /** Any part of it. */
  readonly part: () => z.ZodMiniType<object, object>;
}

/** One of the places that say something about a section. */
export interface SectionSource {
  /** Any part of the section, valid as far as it goes. */
  readonly part: object;
  /** The name under which a person finds the member there. */
  readonly place: (path: MemberPath) => string;
}

/** A value, or everything that is wrong with it, each ready to be told. */
export type Checked<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** What a schema found wrong, one line for each place. The values themselves are not repeated. */
export function problemsOf(error: z.core.$ZodError, place: SectionSource['place']): readonly string[] {
  return [
    ...new Set(
      error.issues.flatMap((issue) => {
        const path = issue.path.map(String);
        if (issue.code !== 'unrecognized_keys') return [`${place(path)} must be ${issue.message}`];
        return issue.keys.map((key) => `${place([...path, key])} is not a setting, unlike ${issue.message}`);
      }),
    ),
  ];
}
