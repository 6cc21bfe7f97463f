import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as z from 'zod/mini';
import { messageOf } from '../errors.ts';
import type { ArrivingFile } from '../repository/arrival.ts';
import type { DetectionManifest, FileRole, Manifest, TranslationManifest } from '../repository/manifest.ts';
import type { Attempt } from './attempt.ts';
import { createDetectionTask, type DetectionTask } from './detection/detection-task.ts';
import { createTransformerDetection } from './detection/transformer-detection.ts';
import { ExternalWeights } from './engine/external-weights.ts';
import type { OrtModule } from './engine/ort-module.ts';
import { WasmSession } from './engine/wasm-session.ts';
import { WeightsFile } from './engine/weights-file.ts';
import { ModelUnsupportedError } from './errors.ts';
import type { TaskInput, TaskOutput } from './tasks.ts';
import { createTextTokenizer } from './text-tokenizer.ts';
import { translationConfigSchema } from './translation/model-config.ts';
import { createPrompt } from './translation/prompts/registry.ts';
import { Seq2SeqGraphs } from './translation/seq2seq-graphs.ts';
import { TranslationTask } from './translation/translation-task.ts';

/** A model that can be asked, in its worker. */
export interface LoadedModel {
  /**
   * Asks its callers' inputs, which share a `batchKey`, together.
   * @param isCancelled asked before every step, of each caller; once true it stays so
   * @returns one for each input, which may fail alone
   * @throws InferenceFailedError when the engine failed, ModelUnsupportedError for a task of another kind
   */
  run(inputs: readonly TaskInput[], isCancelled: (caller: number) => boolean): readonly Attempt<TaskOutput>[];
  /** What the warm-up asks. */
  readonly sample: TaskInput;
}

/** A manifest's files on disk, by their path in the manifest. */
export class ModelFiles {
  readonly #manifest: Manifest;
  readonly #paths: ReadonlyMap<string, string>;
  readonly #arrivingWeights: ArrivingFile | undefined;

  /** @param arrivingWeights while the file of the weights is on its way; the others are there */
  constructor(manifest: Manifest, paths: ReadonlyMap<string, string>, arrivingWeights?: ArrivingFile) {
    this.#manifest = manifest;
    this.#paths = paths;
    this.#arrivingWeights = arrivingWeights;
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

  /** Does something with the weights outside of the graphs; undefined when the version has none. */
  async withWeights<Value>(use: (weights: ExternalWeights | undefined) => Promise<Value>): Promise<Value> {
    const listed = this.#manifest.files.find(({ role }) => role === 'weights');
    if (listed === undefined) return use(undefined);
    const file = new WeightsFile(this.#arrivingWeights ?? this.#onDisk(listed.path, 'its weights'));
    try {
      return await use(new ExternalWeights(basename(listed.path), file));
    } finally {
      file.close();
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

async function loadTranslation(
  module: OrtModule,
  manifest: TranslationManifest,
  files: ModelFiles,
): Promise<LoadedModel> {
  const parsed = translationConfigSchema.safeParse(files.json('config.json'));
  if (!parsed.success) {
    throw new ModelUnsupportedError(
      `config.json is not that of an encoder and decoder: ${z.prettifyError(parsed.error)}`,
    );
  }
  const config = parsed.data;
  const tokenizer = createTextTokenizer(files.json('tokenizer.json'), files.json('tokenizer_config.json') ?? {});
  const [encoder, decoder] = await files.withWeights(async (weights) => {
    const settings = { weights, prepacking: manifest.loading?.prepacking };
    // One after the other: their weights lie in this order.
    const first = await WasmSession.open(module, files.path('encoder'), manifest.graphs, settings);
    return [first, await WasmSession.open(module, files.path('decoder'), manifest.graphs, settings)];
  });
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
    run: (inputs, isCancelled) => task.run(expectTask(inputs, 'translation'), isCancelled),
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
  const session = await files.withWeights((weights) =>
    WasmSession.open(module, files.path('classifier'), manifest.graphs, {
      weights,
      prepacking: manifest.loading?.prepacking,
    }),
  );
  const task = detectionTask(session, manifest, files);
  return {
    run: (inputs, isCancelled) => task.run(expectTask(inputs, 'language-detection'), isCancelled),
    sample: { task: 'language-detection', texts: ['Good morning.'] },
  };
}

function detectionTask(session: WasmSession, manifest: DetectionManifest, files: ModelFiles): DetectionTask {
  const labels = files.bytes('labels');
  switch (manifest.classifier ?? 'fasttext') {
    case 'fasttext':
      return createDetectionTask({ session, tokenizer: files.bytes('tokenizer'), labels });
    case 'transformer': {
      const tokenizer = createTextTokenizer(files.json('tokenizer.json'), files.json('tokenizer_config.json') ?? {});
      return createTransformerDetection({ session, tokenizer, labels, maxTokens: manifest.maxSourceTokens ?? 512 });
    }
  }
}

function expectTask<Task extends TaskInput['task']>(
  inputs: readonly TaskInput[],
  task: Task,
): readonly Extract<TaskInput, { task: Task }>[] {
  const other = inputs.find((input) => input.task !== task);
  if (other !== undefined) throw new ModelUnsupportedError(`this model does ${task}, not ${other.task}`);
  return inputs as readonly Extract<TaskInput, { task: Task }>[];
}
