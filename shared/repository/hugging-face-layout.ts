import * as z from 'zod/mini';
import type { FileRole, PromptStyle } from './manifest.ts';

/** How the weights of a graph are stored: the exporters' ending of its name. */
export type Precision = 'int8' | 'float32';

const ENDINGS: Readonly<Record<Precision, string>> = { int8: '_quantized.onnx', float32: '.onnx' };
/** The one that is wanted first. */
const PRECISIONS: readonly Precision[] = ['int8', 'float32'];

/** The graphs of each kind of model, by the name that exporters give them. */
const GRAPHS = {
  translation: [
    ['encoder', 'encoder_model'],
    ['decoder', 'decoder_model_merged'],
  ],
  classification: [['classifier', 'model']],
} as const satisfies Record<string, readonly (readonly [FileRole, string])[]>;

const FOLDERS = ['onnx/', ''];
const WEIGHTS = 'weights.bin';
const OTHER_NAMES: Readonly<Record<string, FileRole>> = {
  'config.json': 'config',
  'generation_config.json': 'config',
  'tokenizer_config.json': 'config',
  'tokenizer.json': 'tokenizer',
  'labels.json': 'labels',
};

/**
 * The role of each file that is to be published, by path. Graphs that were not chosen (other precisions) and their
 * external data are left out: an export often holds a dozen of them.
 * @param precisions those that are taken, the one that is wanted first
 */
export function rolesByLayout(
  paths: readonly string[],
  precisions: readonly Precision[] = PRECISIONS,
): Map<string, FileRole> {
  const present = new Set(paths);
  const roles = new Map<string, FileRole>();
  for (const path of paths) {
    if (/\.onnx(_data.*|\.data)?$/.test(path)) continue;
    roles.set(path, OTHER_NAMES[path] ?? (FOLDERS.some((folder) => path === folder + WEIGHTS) ? 'weights' : 'other'));
  }
  const isTranslation = paths.some((path) => /(^|\/)(encoder|decoder)_model[^/]*\.onnx$/.test(path));
  for (const [role, name] of GRAPHS[isTranslation ? 'translation' : 'classification']) {
    const found = precisions
      .flatMap((precision) => FOLDERS.map((folder) => `${folder}${name}${ENDINGS[precision]}`))
      .find((path) => present.has(path));
    if (found !== undefined) roles.set(found, role);
  }
  return roles;
}

/** Names of the external data that exporters write beside a graph; the runtime reads one file for all graphs of a version. */
export function externalDataOf(graph: string, paths: readonly string[]): string[] {
  return paths.filter((path) => path.startsWith(`${graph}_data`) || path === `${graph}.data`);
}

const configSchema = z.looseObject({
  model_type: z.optional(z.string()),
  architectures: z.optional(z.nullable(z.array(z.string()))),
  id2label: z.optional(z.nullable(z.record(z.string(), z.string()))),
  _name_or_path: z.optional(z.nullable(z.string())),
  pad_token_id: z.optional(z.nullable(z.int())),
  model_max_length: z.optional(z.nullable(z.number())),
  source_lang: z.optional(z.nullable(z.string())),
  target_lang: z.optional(z.nullable(z.string())),
  max_position_embeddings: z.optional(z.int()),
  num_beams: z.optional(z.nullable(z.int())),
  max_length: z.optional(z.nullable(z.int())),
  max_new_tokens: z.optional(z.nullable(z.int())),
  length_penalty: z.optional(z.nullable(z.number())),
  tokenizer_class: z.optional(z.nullable(z.string())),
});

export type ModelConfig = z.infer<typeof configSchema>;

/** Undefined when it is not the JSON object that transformers writes. */
export function parseModelConfig(text: string): ModelConfig | undefined {
  try {
    const result = configSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

export interface ModelConfigs {
  readonly config?: ModelConfig | undefined;
  readonly generation?: ModelConfig | undefined;
  readonly tokenizer?: ModelConfig | undefined;
}

/** Undefined where the configuration does not tell. */
export function promptStyleOf({ config, tokenizer }: ModelConfigs): PromptStyle | undefined {
  const tokenizerClass = tokenizer?.tokenizer_class ?? config?.tokenizer_class ?? '';
  switch (config?.model_type) {
    case 'marian':
      return 'marian';
    case 'm2m_100':
      return tokenizerClass.startsWith('Nllb') ? 'nllb' : 'm2m100';
    case 'mbart':
      return 'mbart50';
    default:
      return undefined;
  }
}

/** Transformers' own defaults where neither file says a number. */
export function generationOf({ config, generation }: ModelConfigs): {
  numBeams: number;
  maxNewTokens: number | undefined;
  lengthPenalty: number;
} {
  const maxLength = generation?.max_length ?? config?.max_length ?? undefined;
  return {
    numBeams: generation?.num_beams ?? config?.num_beams ?? 1,
    // `max_length` counts the decoder's start token too.
    maxNewTokens:
      generation?.max_new_tokens ?? config?.max_new_tokens ?? (maxLength === undefined ? undefined : maxLength - 1),
    lengthPenalty: generation?.length_penalty ?? config?.length_penalty ?? 1,
  };
}
