/** What onnxruntime-web offers by itself, in this thread: sessions from disk, or from what has been fetched before. */
import { randomUUID } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { createS3Client } from '../../../shared/repository/s3-object-store.ts';
import { plainGreedy } from '../plain-greedy.ts';
import { serve } from '../serve.ts';
import { type Measured, measured } from './measured.ts';

export interface PlainStart {
  /**
   * `create`: sessions from files on disk. `naive`: each graph with its weights in it is fetched whole, and given to the engine.
   * `external`: graphs and weights are fetched to disk, and the weights given to the engine as external data.
   */
  readonly way: 'create' | 'naive' | 'external';
  /** Paths on disk, or keys in the bucket. */
  readonly graphs: readonly string[];
  readonly weights?: string;
  readonly bucket: string;
  readonly optimisation: 'basic' | 'all';
  readonly ask: PlainAsk;
}

/** What the model is asked once: features of the one graph, or the tokens of a sentence for an encoder and a decoder. */
export type PlainAsk = { readonly features: readonly number[] } | { readonly tokens: readonly number[] };

const { way, graphs, weights, bucket, optimisation, ask } = JSON.parse(process.argv[2] ?? '') as PlainStart;
env.wasm.numThreads = 1;
env.logLevel = 'error';

serve<object, Measured>(() =>
  measured(async ({ downloaded }) => {
    const scratch: string[] = [];
    const client = way === 'create' ? undefined : createS3Client();
    const body = async (key: string) => {
      const answer = await client?.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (answer?.Body === undefined) throw new Error(`there is no ${key}`);
      return answer.Body;
    };
    const toDisk = async (key: string) => {
      const path = join(tmpdir(), randomUUID());
      scratch.push(path);
      await pipeline((await body(key)) as Readable, createWriteStream(path));
      return path;
    };
    try {
      const models: (Uint8Array | string)[] = [];
      for (const graph of graphs) {
        models.push(way === 'create' ? graph : await (await body(graph)).transformToByteArray());
      }
      const weightsPath = weights === undefined || way === 'create' ? weights : await toDisk(weights);
      downloaded();
      const options: InferenceSession.SessionOptions = {
        executionProviders: ['wasm'],
        graphOptimizationLevel: optimisation,
        ...(weightsPath === undefined
          ? {}
          : { externalData: [{ path: 'weights.bin', data: readFileSync(weightsPath) }] }),
      };
      const sessions: InferenceSession[] = [];
      for (const model of models) sessions.push(await open(model, options));
      const [first, second] = sessions;
      if (first === undefined) throw new Error('there is no graph');
      if ('features' in ask) {
        const features = Int32Array.from(ask.features);
        await first.run({ features: new Tensor('int32', features, [features.length]) });
      } else if (second !== undefined) {
        await plainGreedy(first, second, ask.tokens);
      }
    } finally {
      for (const path of scratch) await rm(path);
    }
  }),
);

function open(model: Uint8Array | string, options: InferenceSession.SessionOptions): Promise<InferenceSession> {
  return typeof model === 'string' ? InferenceSession.create(model, options) : InferenceSession.create(model, options);
}
