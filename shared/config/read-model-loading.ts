import type { Checks } from './checks.ts';
import type { FilePart } from './config-file.ts';
import type { ModelLoadingSettings } from './model-loading.ts';
import type { ModelLoadingJson } from './model-loading-schema.ts';
import { modelLoadingSection, toModelLoadingSettings } from './model-loading-section.ts';
import { type Environment, readSection } from './read-section.ts';
import type { Checked, MemberPath } from './section-source.ts';

/**
 * The configuration of model loading.
 * @param models the ids that are served; empty: any
 */
export function readModelLoading(
  env: Environment,
  file: Checked<readonly FilePart[]>,
  models: readonly string[],
  checks: () => Checks,
): Checked<ModelLoadingSettings> {
  const read = readSection(modelLoadingSection, env, file, checks);
  if ('problems' in read) return read;
  const { json, told } = read.value;
  const problems = [...contradictionsIn(json, told), ...unservedIn(json, models, told)];
  return problems.length > 0 ? { problems } : { value: toModelLoadingSettings(json) };
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
