import type * as z from 'zod/mini';
import { type ModelLoadingJson, modelLoadingPartSchema } from './model-loading-schema.ts';

/** Where a member stands, e.g. `['retry', 'max_attempts']`. */
export type MemberPath = readonly string[];

/** One of the places that say something about model loading. */
export interface ModelLoadingSource {
  /** Any part of `model_loading`, valid as far as it goes. */
  readonly part: z.infer<typeof modelLoadingPartSchema> | ModelLoadingJson;
  /** The name under which a person finds the member there. */
  readonly place: (path: MemberPath) => string;
}

/** A value, or everything that is wrong with it, each ready to be told. */
export type Checked<T> = { readonly value: T } | { readonly problems: readonly string[] };

/** Checks what one source says. */
export function checkPart(part: unknown, place: ModelLoadingSource['place']): Checked<ModelLoadingSource> {
  const result = modelLoadingPartSchema.safeParse(part);
  if (result.success) return { value: { part: result.data, place } };
  return { problems: problemsOf(result.error, place) };
}

/** What a schema found wrong, one line for each place. The values themselves are not repeated. */
export function problemsOf(error: z.core.$ZodError, place: ModelLoadingSource['place']): readonly string[] {
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
