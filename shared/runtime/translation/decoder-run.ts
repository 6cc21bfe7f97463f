import { HeapTensor } from '../engine/heap-tensor.ts';
import type { Seq2SeqGraphs, SourceBatch } from './seq2seq-graphs.ts';
import type { StepModel } from './step-model.ts';

/**
 * One batch on its way through the decoder. Its caches stay in the engine's heap from step to step: what a run returns
 * is what the next one is fed. Whoever makes one must call `release`, also after an error.
 */
export class DecoderRun implements StepModel {
  readonly vocabularySize: number;
  readonly #graphs: Seq2SeqGraphs;
  #mask: HeapTensor;
  #hidden: HeapTensor;
  #selfCache: HeapTensor[] = [];
  #crossCache: HeapTensor[] = [];
  #logits: HeapTensor | undefined;
  /** Which source sentence each row decodes. */
  #sources: readonly number[];

  constructor(graphs: Seq2SeqGraphs, batch: SourceBatch) {
    this.#graphs = graphs;
    this.vocabularySize = graphs.shape.vocabularySize;
    this.#sources = batch.sentences.map((_, index) => index);
    const { mask, hidden } = graphs.encode(batch);
    this.#mask = mask;
    this.#hidden = hidden;
  }

  get rows(): number {
    return this.#sources.length;
  }

  start(prompt: readonly number[]): Float32Array {
    const { cacheCount, shape, decoder } = this.#graphs;
    for (const cache of [this.#selfCache, this.#crossCache]) {
      for (let layer = 0; layer < cacheCount; layer++) {
        cache.push(HeapTensor.allocate(decoder.module, 'float32', [this.rows, shape.heads, 0, shape.headSize]));
      }
    }
    const tokens = this.#sources.flatMap(() => prompt);
    return this.#run('first', tokens);
  }

  step(tokens: readonly number[]): Float32Array {
    return this.#run('next', tokens);
  }

  select(rows: readonly number[]): void {
    const sources = rows.map((row) => this.#sources[row] as number);
    pickRows(this.#selfCache, rows);
    // Beams that change places within their sentence share everything that comes from the encoder.
    const sameSources = sources.length === this.rows && sources.every((source, row) => source === this.#sources[row]);
    if (!sameSources) {
      pickRows(this.#crossCache, rows);
      const hidden = this.#hidden.rows('float32', rows);
      this.#hidden.release();
      this.#hidden = hidden;
      const mask = this.#mask.rows('int64', rows);
      this.#mask.release();
      this.#mask = mask;
    }
    this.#sources = sources;
  }

  release(): void {
    this.#logits?.release();
    for (const tensor of [this.#mask, this.#hidden, ...this.#selfCache, ...this.#crossCache]) tensor.release();
  }

  #run(kind: 'first' | 'next', tokens: readonly number[]): Float32Array {
    const { decoder, cacheCount, firstPlan, nextPlan } = this.#graphs;
    const ids = HeapTensor.allocate(decoder.module, 'int64', [this.rows, tokens.length / this.rows]);
    let useCache: HeapTensor | undefined;
    try {
      useCache = HeapTensor.allocate(decoder.module, 'bool', [1]);
      const idValues = ids.int64();
      for (let index = 0; index < tokens.length; index++) idValues[index] = BigInt(tokens[index] as number);
      useCache.bytes(1)[0] = kind === 'next' ? 1 : 0;
      const feeds = this.#feeds(ids, useCache);
      const [logits, ...caches] = decoder.runPlan(kind === 'first' ? firstPlan : nextPlan, feeds) as [HeapTensor];
      this.#logits?.release();
      this.#logits = logits;
      for (const tensor of this.#selfCache) tensor.release();
      this.#selfCache = caches.slice(0, cacheCount);
      if (kind === 'first') {
        for (const tensor of this.#crossCache) tensor.release();
        this.#crossCache = caches.slice(cacheCount);
      }
      return this.#lastPosition(logits);
    } finally {
      ids.release();
      useCache?.release();
    }
  }

  /** The decoder's inputs in its own order. */
  #feeds(ids: HeapTensor, useCache: HeapTensor): HeapTensor[] {
    let own = 0;
    let cross = 0;
    return this.#graphs.inputs.map((name) => {
      if (name === 'input_ids') return ids;
      if (name === 'encoder_attention_mask') return this.#mask;
      if (name === 'encoder_hidden_states') return this.#hidden;
      if (name === 'use_cache_branch') return useCache;
      return (name.includes('.decoder.') ? this.#selfCache[own++] : this.#crossCache[cross++]) as HeapTensor;
    });
  }

  /** The logits of each row's last position; a view into the heap when there is only one. */
  #lastPosition(logits: HeapTensor): Float32Array {
    const [rows = 0, positions = 0, size = 0] = logits.dims;
    const values = logits.float32();
    if (positions === 1) return values;
    const last = new Float32Array(rows * size);
    for (let row = 0; row < rows; row++) {
      const from = (row * positions + positions - 1) * size;
      last.set(values.subarray(from, from + size), row * size);
    }
    return last;
  }
}

/** Puts rows of each tensor in its place; when the heap is full, the list still holds what is to be released. */
function pickRows(tensors: HeapTensor[], rows: readonly number[]): void {
  for (const [index, tensor] of tensors.entries()) {
    tensors[index] = tensor.rows('float32', rows);
    tensor.release();
  }
}
