import { readFile } from 'node:fs/promises';
import { messageOf } from '../../../shared/errors.ts';
import { isLanguage, languageName } from '../../../shared/repository/languages.ts';
import { createTextTokenizer } from '../../../shared/runtime/text-tokenizer.ts';
import { NLLB_CODES } from '../../../shared/runtime/translation/prompts/nllb.ts';
import { port, portProblems, type WantedPorts } from './graph-ports.ts';
import type { ImportOptions } from './import-options.ts';
import type { ModelExport } from './model-export.ts';
import type { TokenizerFiles } from './tokenizer-files.ts';

/** What a classifier's description says beside what all have, and what stands against it. */
export interface ClassifierImport {
  readonly part: {
    readonly task: 'language-detection';
    readonly classifier: 'transformer';
    readonly languages: readonly string[];
    readonly maxSourceTokens: number;
  };
  /** Codes in the order of the model's output. */
  readonly labels: readonly string[];
  readonly problems: readonly string[];
}

const CLASSIFIER: WantedPorts = {
  inputs: [
    port('input_ids', 'int64'),
    { ...port('attention_mask', 'int64'), isOptional: true },
    { ...port('token_type_ids', 'int64'), isOptional: true },
  ],
  outputs: [port('logits', 'float32')],
};

/** What models of unknown limits take, as nearly all do. */
const USUAL_TOKENS = 512;
/** These count positions from after the padding's: so many of `max_position_embeddings` are no tokens. */
const OFFSET_POSITIONS = new Set(['roberta', 'xlm-roberta', 'camembert', 'xlm-roberta-xl']);

export async function checkClassifier(
  model: ModelExport,
  { json, config: tokenizerConfig }: TokenizerFiles,
  options: ImportOptions,
): Promise<ClassifierImport> {
  const problems: string[] = [];
  for (const graph of model.graphs) problems.push(...portProblems(graph, CLASSIFIER));
  if (model.graphs.length === 0) problems.push('there is no onnx/model.onnx');
  if (json !== undefined) {
    try {
      createTextTokenizer(json, tokenizerConfig ?? {});
    } catch (thrown) {
      problems.push(messageOf(thrown));
    }
  }
  const { labels, problems: aboutLabels } = await labelsOf(model, options);
  problems.push(...aboutLabels);
  const languages = [...new Set(labels)].sort();
  const part = {
    task: 'language-detection',
    classifier: 'transformer',
    languages,
    maxSourceTokens: tokensOf(model),
  } as const;
  return { part, labels, problems };
}

async function labelsOf(
  { configs }: ModelExport,
  { labels: path }: ImportOptions,
): Promise<{ labels: readonly string[]; problems: readonly string[] }> {
  const named = configs.config?.id2label ?? {};
  const own = Object.keys(named)
    .sort((a, b) => Number(a) - Number(b))
    .map((index) => named[index] as string);
  const written = path === undefined ? own : await readLabelsFile(path);
  if (written === undefined) return { labels: [], problems: [`${path} is no JSON array of language codes`] };
  if (written.length === 0) return { labels: [], problems: ['config.json has no id2label: say --labels'] };
  const problems: string[] = [];
  if (own.length > 0 && written.length !== own.length) {
    problems.push(`${path} has ${written.length} labels, the model ${own.length}`);
  }
  const unknown = written.filter((label) => codeOf(label) === undefined);
  if (unknown.length > 0) {
    const some = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? `, … (${unknown.length})` : '');
    problems.push(`the model's labels are no languages: ${some}; say --labels <file> where they stand for some`);
  }
  return { labels: written.map((label) => codeOf(label) ?? label), problems };
}

async function readLabelsFile(path: string): Promise<readonly string[] | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Array.isArray(json) && json.every((label) => typeof label === 'string') ? json : undefined;
  } catch {
    return undefined;
  }
}

const FLORES = new Map(Object.entries(NLLB_CODES).map(([code, flores]) => [flores.toLowerCase(), code]));
const ENGLISH = new Map(Object.keys(NLLB_CODES).map((code) => [languageName(code).toLowerCase(), code]));

/** A label as a language code: one itself, or one of FLORES-200 (`eng_Latn`), or a language's English name. */
function codeOf(label: string): string | undefined {
  const plain = label.replace(/^__label__/, '');
  const flores = FLORES.get(plain.toLowerCase());
  if (flores !== undefined) return flores;
  if (/^[a-z]{2,3}([-_][A-Za-z]{2,4})?$/.test(plain) && isLanguage(plain)) return plain.replace('_', '-');
  return ENGLISH.get(plain.toLowerCase());
}

function tokensOf({ configs: { config, tokenizer } }: ModelExport): number {
  const positions = config?.max_position_embeddings ?? USUAL_TOKENS;
  const taken = OFFSET_POSITIONS.has(config?.model_type ?? '') ? (config?.pad_token_id ?? 1) + 1 : 0;
  return Math.min(positions - taken, tokenizer?.model_max_length ?? Number.POSITIVE_INFINITY);
}
