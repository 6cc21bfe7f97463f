/** The least that a script can do for a translation: start, import the engine, two sessions from disk, a plain greedy loop. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { printAnswer, printMark } from './print-mark.ts';

export interface FloorStart {
  readonly model: string;
  /** How much the engine still has to rewrite the graphs. */
  readonly optimisation: 'basic' | 'all';
  readonly sentence: string;
}

printMark('imported');
const { model, optimisation, sentence } = JSON.parse(process.argv[2] ?? '') as FloorStart;
const END = 0;
const PAD = 6000;
const LONGEST = 200;
env.wasm.numThreads = 1;
const json = (name: string): object => JSON.parse(readFileSync(join(model, name), 'utf8')) as object;
const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
const open = (name: string) =>
  InferenceSession.create(join(model, 'onnx', name), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: optimisation,
  });
const encoder = await open('encoder_model_quantized.onnx');
printMark('encoder');
const decoder = await open('decoder_model_merged_quantized.onnx');
printMark('decoder');
const translation = await translate(sentence);
printMark('answered');
printAnswer(translation);
process.exit(0);

async function translate(text: string): Promise<string> {
  const source = int64(tokenizer.encode(text).ids);
  const attention = int64(Array.from({ length: source.size }, () => 1));
  const encoded = await encoder.run({ input_ids: source, attention_mask: attention });
  const state = tensorOf(encoded, 'last_hidden_state');
  const past = emptyPast();
  const answer: number[] = [];
  let token = PAD;
  while (answer.length < LONGEST) {
    const outputs = await decoder.run({
      ...past,
      input_ids: int64([token]),
      encoder_attention_mask: attention,
      encoder_hidden_states: state,
      use_cache_branch: new Tensor('bool', [answer.length > 0], [1]),
    });
    token = best(tensorOf(outputs, 'logits').data as Float32Array);
    if (token === END) break;
    for (const name of Object.keys(past)) {
      // The encoder's part stays as the first step has made it.
      if (answer.length > 0 && name.includes('.encoder.')) continue;
      past[name] = tensorOf(outputs, name.replace('past_key_values', 'present'));
    }
    answer.push(token);
  }
  return tokenizer.decode(answer, { skip_special_tokens: true });
}

function emptyPast(): Record<string, Tensor> {
  const names = decoder.inputNames.filter((name) => name.startsWith('past_key_values'));
  return Object.fromEntries(names.map((name) => [name, new Tensor('float32', new Float32Array(0), [1, 4, 0, 64])]));
}

function int64(values: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
}

function tensorOf(outputs: InferenceSession.OnnxValueMapType, name: string): Tensor {
  const found = outputs[name];
  if (!(found instanceof Tensor)) throw new Error(`the graph has no ${name}`);
  return found;
}

/** The likeliest token but the padding, which is never an answer. */
function best(logits: Float32Array): number {
  let chosen = 0;
  for (let token = 1; token < PAD; token++) {
    if ((logits[token] ?? 0) > (logits[chosen] ?? 0)) chosen = token;
  }
  return chosen;
}
