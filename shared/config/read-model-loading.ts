import { type ConfigFile, readConfigFile } from './config-file.ts';
import { merge } from './merge.ts';
import type { ModelLoadingSettings } from './model-loading.ts';
import {
  type ModelLoadingJson,
  modelLoadingDefaults,
  modelLoadingSchema,
  toModelLoadingSettings,
} from './model-loading-schema.ts';
import { type Checked, type MemberPath, type ModelLoadingSource, problemsOf } from './model-loading-source.ts';
import { readVariables } from './model-loading-variables.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const defaults: ModelLoadingSource = {
  part: modelLoadingDefaults,
  place: (path) => `the default of model_loading.${path.join('.')}`,
};

/**
 * The configuration of model loading: the defaults, the file, the file's stage (CASALINGUA_STAGE), the environment; later
 * wins, member by member, lists as a whole.
 * @param models the ids that are served; empty: any
 */
export function readModelLoading(
  env: Environment,
  file: Checked<ConfigFile | undefined>,
  models: readonly string[],
): Checked<ModelLoadingSettings> {
  const fromFile = 'problems' in file ? file : sourcesIn(file.value, env['CASALINGUA_STAGE'] || undefined);
  const fromVariables = readVariables(env);
  const problems = [fromFile, fromVariables].flatMap((checked) => ('problems' in checked ? checked.problems : []));
  if ('problems' in fromFile || 'problems' in fromVariables) return { problems };

  const sources = [defaults, ...fromFile.value, fromVariables.value];
  const merged = modelLoadingSchema.safeParse(sources.map(({ part }) => part).reduce<unknown>(merge, {}));
  const told = (path: MemberPath) => placeIn(sources, path);
  if (!merged.success) return { problems: problemsOf(merged.error, told) };
  const contradictions = [...contradictionsIn(merged.data, told), ...unservedIn(merged.data, models, told)];
  return contradictions.length > 0 ? { problems: contradictions } : { value: toModelLoadingSettings(merged.data) };
}

function sourcesIn(file: ConfigFile | undefined, stage: string | undefined): Checked<readonly ModelLoadingSource[]> {
  return file === undefined ? { value: [] } : readConfigFile(file, stage);
}

/** Where the value that holds in the end was given. */
function placeIn(sources: readonly ModelLoadingSource[], path: MemberPath): string {
  const source = sources.findLast(({ part }) => has(part, path)) ?? defaults;
  return source.place(path);
}

function has(part: object, [name = '', ...rest]: MemberPath): boolean {
  const value: unknown = Object.getOwnPropertyDescriptor(part, name)?.value;
  if (rest.length === 0 || typeof value !== 'object' || value === null) return value !== undefined;
  return has(value, rest);
}

function contradictionsIn(json: ModelLoadingJson, told: (path: MemberPath) => string): readonly string[] {
  const problems: string[] = [];
  const { initial_seconds: initial, max_seconds: max } = json.retry;
  if (initial > max) {
    const most = `${told(['retry', 'max_seconds'])} (${max})`;
    problems.push(`${told(['retry', 'initial_seconds'])} (${initial}) must be at most ${most}`);
  }
  const { minimum_required: free = 0, limit_mb: limit } = json.memory_protection;
  if (limit !== undefined && free >= limit) {
    const all = `${told(['memory_protection', 'limit_mb'])} (${limit})`;
    problems.push(`${told(['memory_protection', 'minimum_required'])} (${free}) must be less than ${all}`);
  }
  return problems;
}

function unservedIn(
  json: ModelLoadingJson,
  models: readonly string[],
  told: (path: MemberPath) => string,
): readonly string[] {
  if (models.length === 0) return [];
  return (['preload_models', 'always_loaded_models'] as const).flatMap((list) =>
    json[list]
      .filter((id) => !models.includes(id))
      .map((id) => `${told([list])} must name models that CASALINGUA_MODELS serves, unlike ${id}`),
  );
}
