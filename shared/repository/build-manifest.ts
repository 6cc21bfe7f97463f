import type { Description, TranslationDescription } from './description.ts';
import { PublishInvalidError } from './errors.ts';
import {
  externalDataOf,
  generationOf,
  type ModelConfigs,
  promptStyleOf,
  rolesByLayout,
} from './hugging-face-layout.ts';
import { type FileRole, type Manifest, type ManifestFile, modelKey } from './manifest.ts';
import { manifestSchema } from './manifest-schema.ts';
import { describeIssues } from './schema-issues.ts';

/** What a runtime can't do without, by task. */
const NEEDED: Readonly<Record<Description['task'], readonly { role: FileRole; looksLike: string }[]>> = {
  translation: [
    { role: 'encoder', looksLike: 'onnx/encoder_model_quantized.onnx or onnx/encoder_model.onnx' },
    { role: 'decoder', looksLike: 'onnx/decoder_model_merged_quantized.onnx or onnx/decoder_model_merged.onnx' },
    { role: 'tokenizer', looksLike: 'tokenizer.json' },
    { role: 'config', looksLike: 'config.json' },
  ],
  'language-detection': [
    { role: 'classifier', looksLike: 'onnx/model_quantized.onnx, onnx/model.onnx, or named in "roles"' },
    { role: 'tokenizer', looksLike: 'tokenizer.json, or named in "roles"' },
    { role: 'labels', looksLike: 'labels.json, or named in "roles"' },
  ],
};

/**
 * Which files of the folder are published, and as what.
 * @throws PublishInvalidError naming everything that is missing
 */
export function chooseFiles(description: Description, paths: readonly string[]): Map<string, FileRole> {
  const given = Object.entries(description.roles ?? {});
  const roles = rolesByLayout(paths);
  for (const [path, role] of given) {
    roles.set(path, role);
  }
  const chosen = [...roles.values()];
  const problems = [
    ...given.filter(([path]) => !paths.includes(path)).map(([path, role]) => `the ${role} ${path} is missing`),
    ...NEEDED[description.task]
      .filter(({ role }) => !chosen.includes(role))
      .map(({ role, looksLike }) => `no ${role}: ${looksLike}`),
    ...[...roles.keys()].flatMap((path) =>
      externalDataOf(path, paths).map(
        (data) => `${path} keeps weights in ${data}: import it (npm run models -- import)`,
      ),
    ),
  ];
  const weights = [...roles].flatMap(([path, role]) => (role === 'weights' ? path : []));
  if (weights.length > 1) problems.push(`several files of weights: ${weights.join(', ')}`);
  throwIfAny(problems, description);
  return roles;
}

/**
 * The manifest: what was described, and the rest from the model's own configuration.
 * @throws PublishInvalidError
 */
export function buildManifest(
  description: Description,
  files: readonly ManifestFile[],
  configs: ModelConfigs,
): Manifest {
  const { roles: _, ...described } = description;
  const draft = {
    ...described,
    ...(description.task === 'translation' ? translationPart(description, configs) : {}),
    schema: 1,
    engine: 'onnxruntime-web',
    files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  const result = manifestSchema.safeParse(draft);
  if (!result.success) {
    throw invalid([describeIssues(result.error)], description);
  }
  return result.data;
}

function translationPart(description: TranslationDescription, configs: ModelConfigs) {
  const { pairs, languages, generation } = description;
  const prompt = description.prompt ?? promptStyleOf(configs);
  const maxSourceTokens = description.maxSourceTokens ?? configs.config?.max_position_embeddings;
  const defaults = generationOf(configs);
  const merged = {
    numBeams: generation?.numBeams ?? defaults.numBeams,
    maxNewTokens: generation?.maxNewTokens ?? defaults.maxNewTokens ?? maxSourceTokens,
    lengthPenalty: generation?.lengthPenalty ?? defaults.lengthPenalty,
  };
  throwIfAny(
    [
      ...(prompt === undefined ? ['config.json does not tell the kind of model: say "prompt"'] : []),
      ...(maxSourceTokens === undefined ? ['config.json has no max_position_embeddings: say "maxSourceTokens"'] : []),
      ...(pairs === undefined && languages === undefined ? ['say "pairs", or "languages" for all between them'] : []),
    ],
    description,
  );
  return { prompt, maxSourceTokens, generation: merged, pairs: pairs ?? allPairs(languages ?? []) };
}

function allPairs(languages: readonly string[]) {
  return languages.flatMap((source) =>
    languages.filter((target) => target !== source).map((target) => ({ source, target })),
  );
}

function throwIfAny(problems: readonly string[], description: Description): void {
  if (problems.length > 0) {
    throw invalid(problems, description);
  }
}

function invalid(problems: readonly string[], description: Description): PublishInvalidError {
  const model = modelKey(description);
  return new PublishInvalidError(`${model} can't be published: ${problems.join('; ')}`, { model });
}
