/** The least that a script can do for a translation: start, import the engine, two sessions from disk, a plain greedy loop. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { env, InferenceSession } from 'onnxruntime-web';
import { plainGreedy } from '../plain-greedy.ts';
import { printAnswer, printMark } from './print-mark.ts';

export interface FloorStart {
  readonly model: string;
  /** How much the engine still has to rewrite the graphs. */
  readonly optimisation: 'basic' | 'all';
  readonly sentence: string;
}

printMark('imported');
const { model, optimisation, sentence } = JSON.parse(process.argv[2] ?? '') as FloorStart;
env.wasm.numThreads = 1;
const json = (name: string): object => JSON.parse(readFileSync(join(model, name), 'utf8')) as object;
const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
const weights = join(model, 'onnx', 'weights.bin');
/** What is published has its weights in a file of their own, what was exported has none. */
const externalData = existsSync(weights) ? [{ path: 'weights.bin', data: readFileSync(weights) }] : [];
const open = (name: string) =>
  InferenceSession.create(join(model, 'onnx', name), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: optimisation,
    externalData,
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
  const answer = await plainGreedy(encoder, decoder, tokenizer.encode(text).ids);
  return tokenizer.decode(answer, { skip_special_tokens: true });
}
