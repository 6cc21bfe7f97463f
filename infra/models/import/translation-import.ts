import { messageOf } from '../../../shared/errors.ts';
import { promptStyleOf } from '../../../shared/repository/hugging-face-layout.ts';
import { isLanguage } from '../../../shared/repository/languages.ts';
import type { PromptStyle } from '../../../shared/repository/manifest.ts';
import { describeIssues } from '../../../shared/repository/schema-issues.ts';
import { UnsupportedLanguageError } from '../../../shared/runtime/errors.ts';
import { createTextTokenizer, type TextTokenizer } from '../../../shared/runtime/text-tokenizer.ts';
import { translationConfigSchema } from '../../../shared/runtime/translation/model-config.ts';
import { createPrompt } from '../../../shared/runtime/translation/prompts/registry.ts';
import { port, portProblems, type WantedPorts } from './graph-ports.ts';
import type { ImportOptions } from './import-options.ts';
import type { ModelExport } from './model-export.ts';
import type { TokenizerFiles } from './tokenizer-files.ts';

/** What a translation model's description says beside what all have, and what stands against it. */
export interface TranslationImport {
  readonly part: {
    readonly task: 'translation';
    readonly prompt?: PromptStyle;
    readonly pairs?: readonly { readonly source: string; readonly target: string }[];
    readonly languages?: readonly string[];
  };
  readonly problems: readonly string[];
}

const ENCODER: WantedPorts = {
  inputs: [port('input_ids', 'int64'), port('attention_mask', 'int64')],
  outputs: [port('last_hidden_state', 'float32')],
};
const cache = (direction: 'past_key_values' | 'present', part: 'decoder' | 'encoder') =>
  ({
    name: new RegExp(`^${direction}\\.\\d+\\.${part}\\.(key|value)$`),
    called: `${direction}.*.${part}.*`,
    type: 'float32',
  }) as const;
const DECODER: WantedPorts = {
  inputs: [
    port('input_ids', 'int64'),
    port('encoder_attention_mask', 'int64'),
    port('encoder_hidden_states', 'float32'),
    port('use_cache_branch', 'bool'),
    cache('past_key_values', 'decoder'),
    cache('past_key_values', 'encoder'),
  ],
  outputs: [port('logits', 'float32'), cache('present', 'decoder'), cache('present', 'encoder')],
};

export function checkTranslation(
  model: ModelExport,
  { json, config: tokenizerConfig }: TokenizerFiles,
  configJson: unknown,
  options: ImportOptions,
): TranslationImport {
  const problems: string[] = [];
  for (const graph of model.graphs) problems.push(...portProblems(graph, graph.role === 'encoder' ? ENCODER : DECODER));
  if (!model.graphs.some(({ role }) => role === 'encoder')) problems.push('there is no onnx/encoder_model.onnx');
  if (!model.graphs.some(({ role }) => role === 'decoder')) problems.push(whyNoDecoder(model));
  const config = translationConfigSchema.safeParse(configJson);
  if (configJson !== undefined && !config.success) problems.push(`config.json: ${describeIssues(config.error)}`);
  const prompt = options.prompt ?? promptStyleOf(model.configs);
  if (prompt === undefined) problems.push('config.json does not tell the family: say --prompt');
  const directions = directionsOf(model, options, prompt);
  if (directions === undefined)
    problems.push('nothing tells the directions: say --pairs en-fr,fr-en or --languages en,fr,de');
  const { pairs, languages } = directions ?? {};
  problems.push(
    ...notLanguages([...(languages ?? []), ...(pairs ?? []).flatMap(({ source, target }) => [source, target])]),
  );
  if (json !== undefined && prompt !== undefined && config.success) {
    const tokens = { endToken: config.data.eos_token_id, start: config.data.decoder_start_token_id };
    problems.push(...tokenProblems({ json, tokenizerConfig, prompt, pairs, languages, ...tokens }));
  }
  const part = {
    task: 'translation' as const,
    ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
    ...(pairs === undefined ? {} : { pairs }),
    ...(languages === undefined ? {} : { languages }),
  };
  return { part, problems };
}

function whyNoDecoder({ paths }: ModelExport): string {
  const apart = paths.filter((path) => /decoder(_with_past)?_model[^/]*\.onnx$/.test(path));
  const wanted = 'there is no onnx/decoder_model_merged.onnx';
  return apart.length === 0 ? wanted : `${wanted}: only ${apart.join(', ')}, which have to be merged by the exporter`;
}

/** As it was said, or as an opus-mt model's own configuration has it. */
function directionsOf(
  { configs, card }: ModelExport,
  { pairs, languages, id }: ImportOptions,
  prompt: PromptStyle | undefined,
) {
  if (pairs !== undefined) return { pairs };
  if (languages !== undefined) return { languages };
  if (prompt !== 'marian') return undefined;
  const named = /opus-mt(?:-tc-\w+)?-([a-z]{2,3})-([a-z]{2,3})$/.exec(
    id ?? configs.config?._name_or_path ?? card.baseModel ?? '',
  );
  const source = configs.tokenizer?.source_lang ?? named?.[1];
  const target = configs.tokenizer?.target_lang ?? named?.[2];
  return source && target ? { pairs: [{ source, target }] } : undefined;
}

function notLanguages(codes: readonly string[]): string[] {
  const unknown = [...new Set(codes)].filter((code) => !isLanguage(code));
  return unknown.length === 0 ? [] : [`no languages: ${unknown.join(', ')}`];
}

/** The tokens that a translation cannot do without, and those of its languages. */
function tokenProblems({
  json,
  tokenizerConfig,
  prompt,
  endToken,
  start,
  ...directions
}: {
  json: unknown;
  tokenizerConfig: unknown;
  prompt: PromptStyle;
  endToken: number;
  start: number | undefined;
  pairs?: TranslationImport['part']['pairs'] | undefined;
  languages?: readonly string[] | undefined;
}): string[] {
  let tokenizer: TextTokenizer;
  try {
    tokenizer = createTextTokenizer(json, tokenizerConfig ?? {});
  } catch (thrown) {
    return [messageOf(thrown)];
  }
  const { source, decoder } = createPrompt(prompt, { tokenizer, endToken, decoderStartToken: start ?? endToken });
  const pairs = directions.pairs ?? [];
  const all = directions.languages ?? [];
  const asked = [
    ...pairs.map(({ source: from, target }) => [from, target] as const),
    ...all.map((language) => [language, language] as const),
  ];
  const missing = new Set(
    asked.flatMap(([from, target]) => {
      try {
        source([], from, target);
        decoder(target);
        return [];
      } catch (thrown) {
        if (!(thrown instanceof UnsupportedLanguageError)) throw thrown;
        return [thrown.message];
      }
    }),
  );
  return [...missing];
}
