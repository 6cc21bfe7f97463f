import { HeapTensor } from '../engine/heap-tensor.ts';
import type { RunPlan, WasmSession } from '../engine/wasm-session.ts';
import { ModelUnsupportedError } from '../errors.ts';

/** Sizes that the caches need, from `config.json`. */
export interface DecoderShape {
  readonly heads: number;
  readonly headSize: number;
  readonly vocabularySize: number;
}

/** Source sentences as token ids, each with its end token; padded to the longest with `padToken`. */
export interface SourceBatch {
  readonly sentences: readonly (readonly number[])[];
  readonly padToken: number;
}

/** Encoder and merged decoder of the Hugging Face ONNX layout, with what is resolved once per model. */
export class Seq2SeqGraphs {
  readonly encoder: WasmSession;
  readonly decoder: WasmSession;
  readonly shape: DecoderShape;
  readonly #encodePlan: RunPlan;
  /** Without a cache: fills both caches. */
  readonly firstPlan: RunPlan;
  /** With the caches: asks only for the decoder's own, the encoder's stay as they are. */
  readonly nextPlan: RunPlan;
  readonly inputs: readonly string[];
  /** Cache tensors of one kind, keys and values of all layers. */
  readonly cacheCount: number;

  constructor(encoder: WasmSession, decoder: WasmSession, shape: DecoderShape) {
    this.encoder = encoder;
    this.decoder = decoder;
    this.shape = shape;
    this.inputs = decoder.inputNames;
    const selfInputs = this.inputs.filter((name) => /^past_key_values\.\d+\.decoder\./.test(name));
    const crossInputs = this.inputs.filter((name) => /^past_key_values\.\d+\.encoder\./.test(name));
    if (!this.inputs.includes('use_cache_branch') || selfInputs.length === 0) {
      throw new ModelUnsupportedError('the decoder is not a merged export with a cache (decoder_model_merged)');
    }
    if (crossInputs.length !== selfInputs.length) {
      throw new ModelUnsupportedError('the decoder does not cache the keys and values of the encoder');
    }
    this.cacheCount = selfInputs.length;
    const presents = (names: readonly string[]) => names.map((name) => name.replace(/^past_key_values/, 'present'));
    this.#encodePlan = encoder.plan(['input_ids', 'attention_mask'], ['last_hidden_state']);
    this.firstPlan = decoder.plan(this.inputs, ['logits', ...presents(selfInputs), ...presents(crossInputs)]);
    this.nextPlan = decoder.plan(this.inputs, ['logits', ...presents(selfInputs)]);
  }

  /** The caller releases both tensors: [rows, length] int64 and [rows, length, width] float32. */
  encode({ sentences, padToken }: SourceBatch): { mask: HeapTensor; hidden: HeapTensor } {
    const { module } = this.encoder;
    const length = Math.max(...sentences.map((sentence) => sentence.length));
    const ids = HeapTensor.allocate(module, 'int64', [sentences.length, length]);
    let mask: HeapTensor | undefined;
    try {
      mask = HeapTensor.allocate(module, 'int64', [sentences.length, length]);
      const idValues = ids.int64().fill(BigInt(padToken));
      const maskValues = mask.int64().fill(0n);
      sentences.forEach((sentence, row) => {
        sentence.forEach((token, position) => {
          idValues[row * length + position] = BigInt(token);
          maskValues[row * length + position] = 1n;
        });
      });
      const [hidden] = this.encoder.runPlan(this.#encodePlan, [ids, mask]) as [HeapTensor];
      return { mask, hidden };
    } catch (thrown) {
      mask?.release();
      throw thrown;
    } finally {
      ids.release();
    }
  }
}
