import { type InferenceSession, Tensor } from 'onnxruntime-web';

const END = 0;
const PAD = 6000;
const LONGEST = 200;

/**
 * A plain greedy search with a shipped translation model, as a script would have it.
 * @param source tokens of one sentence
 * @returns tokens of its translation
 */
export async function plainGreedy(
  encoder: InferenceSession,
  decoder: InferenceSession,
  source: readonly number[],
): Promise<number[]> {
  const ids = int64(source);
  const attention = int64(source.map(() => 1));
  const encoded = await encoder.run({ input_ids: ids, attention_mask: attention });
  const state = tensorOf(encoded, 'last_hidden_state');
  const past = emptyPast(decoder);
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
  return answer;
}

function emptyPast(decoder: InferenceSession): Record<string, Tensor> {
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
