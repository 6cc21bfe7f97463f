import * as z from 'zod/mini';
import type { FileRole, PromptStyle } from './manifest.ts';

/** Where each graph may lie, the one that is wanted first. */
const GRAPHS: readonly { readonly role: FileRole; readonly names: readonly string[] }[] = [
  { role: 'encoder', names: ['encoder_model_quantized.onnx', 'encoder_model.onnx'] },
  { role: 'decoder', names: ['decoder_model_merged_quantized.onnx', 'decoder_model_merged.onnx'] },
];
const FOLDERS = ['onnx/', ''];
const CONFIGS = new Set(['config.json', 'generation_config.json', 'tokenizer_config.json']);

/**
 * The role of each file that is to be published, by path. Graphs that were not chosen (other precisions) and their
 * external data are left out: an export often holds a dozen of them.
 */
export function rolesByLayout(paths: readonly string[]): Map<string, FileRole> {
  const present = new Set(paths);
  const roles = new Map<string, FileRole>();
  for (const path of paths) {
    if (path === 'tokenizer.json') {
      roles.set(path, 'tokenizer');
    } else if (CONFIGS.has(path)) {
      roles.set(path, 'config');
    } else if (!/\.onnx(_data.*|\.data)?$/.test(path)) {
      roles.set(path, 'other');
    }
  }
  for (const { role, names } of GRAPHS) {
    const found = names
      .flatMap((name) => FOLDERS.map((folder) => `${folder}${name}`))
      .find((path) => present.has(path));
    if (found !== undefined) {
      roles.set(found, role);
    }
  }
  return roles;
}

/** Names of the external data that a graph may come with; the runtime reads graphs in one piece. */
export function externalDataOf(graph: string, paths: readonly string[]): string[] {
  return paths.filter((path) => path.startsWith(`${graph}_data`) || path === `${graph}.data`);
}

const configSchema = z.looseObject({
  model_type: z.optional(z.string()),
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
