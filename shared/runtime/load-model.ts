import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as z from 'zod/mini';
import { messageOf } from '../errors.ts';
import type { DetectionManifest, FileRole, Manifest, TranslationManifest } from '../repository/manifest.ts';
import { createDetectionTask } from './detection/detection-task.ts';
import type { OrtModule } from './engine/ort-module.ts';
import { WasmSession } from './engine/wasm-session.ts';
import { ModelUnsupportedError } from './errors.ts';
import type { TaskInput, TaskOutput } from './tasks.ts';
import { createTextTokenizer } from './text-tokenizer.ts';
import { createPrompt } from './translation/prompts/registry.ts';
import { Seq2SeqGraphs } from './translation/seq2seq-graphs.ts';
import { TranslationTask } from './translation/translation-task.ts';

/** A model that can be asked, in its worker. */
export interface LoadedModel {
  run(input: TaskInput, checkCancelled: () => void): TaskOutput;
  /** What the warm-up asks. */
  readonly sample: TaskInput;
}

/** A manifest's files on disk, by their path in the manifest. */
export class ModelFiles {
  readonly #manifest: Manifest;
  readonly #paths: ReadonlyMap<string, string>;

  constructor(manifest: Manifest, paths: ReadonlyMap<string, string>) {
    this.#manifest = manifest;
    this.#paths = paths;
  }

  /** Path on disk of the one file with this role. @throws ModelUnsupportedError */
  path(role: FileRole): string {
    const file = this.#manifest.files.find((candidate) => candidate.role === role);
    return this.#onDisk(file?.path, `a file with the role ${role}`);
  }

  bytes(role: FileRole): Uint8Array {
    return readFileSync(this.path(role));
  }

  /** A JSON file by its name, whatever folder it lies in; undefined when the version has none. */
  json(name: string): unknown {
    const file = this.#manifest.files.find((candidate) => basename(candidate.path) === name);
    if (file === undefined) return undefined;
    try {
      return JSON.parse(readFileSync(this.#onDisk(file.path, name), 'utf8'));
    } catch (cause) {
      throw new ModelUnsupportedError(`${name} cannot be read: ${messageOf(cause)}`, { cause });
    }
  }

  #onDisk(path: string | undefined, what: string): string {
    const onDisk = path === undefined ? undefined : this.#paths.get(path);
    if (onDisk === undefined) throw new ModelUnsupportedError(`the version lacks ${what}`);
    return onDisk;
  }
}

/** Creates sessions and tokenizers. A task more is a case more. @throws ModelUnsupportedError, InferenceFailedError */
export async function loadModel(module: OrtModule, manifest: Manifest, files: ModelFiles): Promise<LoadedModel> {
  switch (manifest.task) {
    case 'translation':
      return loadTranslation(module, manifest, files);
    case 'language-detection':
      return loadDetection(module, manifest, files);
  }
}

/** The sizes and tokens that generation needs, as exporters write them. */
const configSchema = z.object({
  decoder_attention_heads: z.int().check(z.positive()),
  d_model: z.int().check(z.positive()),
  vocab_size: z.int().check(z.positive()),
  pad_token_id: z.int(),
  eos_token_id: z.int(),
  decoder_start_token_id: z.optional(z.int()),
});

async function loadTranslation(
  module: OrtModule,
  manifest: TranslationManifest,
  files: ModelFiles,
): Promise<LoadedModel> {
  const parsed = configSchema.safeParse(files.json('config.json'));
  if (!parsed.success) {
    throw new ModelUnsupportedError(
      `config.json is not that of an encoder and decoder: ${z.prettifyError(parsed.error)}`,
    );
  }
  const config = parsed.data;
  const tokenizer = createTextTokenizer(files.json('tokenizer.json'), files.json('tokenizer_config.json') ?? {});
  const encoder = await WasmSession.open(module, files.path('encoder'), manifest.graphs);
  const decoder = await WasmSession.open(module, files.path('decoder'), manifest.graphs);
  const graphs = new Seq2SeqGraphs(encoder, decoder, {
    heads: config.decoder_attention_heads,
    headSize: config.d_model / config.decoder_attention_heads,
    vocabularySize: config.vocab_size,
  });
  const endToken = config.eos_token_id;
  const decoderStartToken = config.decoder_start_token_id ?? endToken;
  const prompt = createPrompt(manifest.prompt, { tokenizer, endToken, decoderStartToken });
  const task = new TranslationTask({ manifest, graphs, tokenizer, prompt, endToken, padToken: config.pad_token_id });
  const pair = manifest.pairs[0];
  return {
    run: (input, checkCancelled) => task.run(expectTask(input, 'translation'), checkCancelled),
    sample: {
      task: 'translation',
      texts: ['Good morning.'],
      source: pair?.source ?? 'en',
      target: pair?.target ?? 'en',
      numBeams: 1,
    },
  };
}

async function loadDetection(module: OrtModule, manifest: DetectionManifest, files: ModelFiles): Promise<LoadedModel> {
  const session = await WasmSession.open(module, files.path('classifier'), manifest.graphs);
  const task = createDetectionTask({ session, tokenizer: files.bytes('tokenizer'), labels: files.bytes('labels') });
  return {
    run: (input, checkCancelled) => task.run(expectTask(input, 'language-detection'), checkCancelled),
    sample: { task: 'language-detection', texts: ['Good morning.'] },
  };
}

function expectTask<Task extends TaskInput['task']>(input: TaskInput, task: Task): Extract<TaskInput, { task: Task }> {
  if (input.task !== task) throw new ModelUnsupportedError(`this model does ${task}, not ${input.task}`);
  return input as Extract<TaskInput, { task: Task }>;
}
