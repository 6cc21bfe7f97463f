import type { Inference } from '../../../functions/inference/compose.ts';
import type { TranslationManifest } from '../../../shared/repository/manifest.ts';
import type { ModelWorker } from '../../../shared/runtime/model-worker.ts';
import type { TranslationInput } from '../../../shared/runtime/tasks.ts';
import { median } from '../statistics.ts';

/** Medians over one-sentence requests, in ms. */
export interface Overhead {
  /** A request through the app, from its JSON to the answer's. */
  readonly appMs: number;
  /** The same sentence in the same worker, called through a lease: the pipeline and the way to its thread and back. */
  readonly leaseMs: number;
  /** The way to a worker's thread and back alone. */
  readonly hopMs: number;
  /** What a request costs beyond the bare pipeline. */
  readonly overheadMs: number;
  readonly bareMs: number;
}

export interface OverheadParts {
  readonly inference: Inference;
  readonly manifest: TranslationManifest;
  /** A second worker of the same model, called directly: it alone tells how long the thread itself took. */
  readonly worker: ModelWorker;
  readonly sentences: readonly string[];
}

/**
 * Each sentence through the app, through a lease on the very worker that the app uses, and directly, in turns whose order
 * changes. The two calls of one sentence into one worker are compared with each other; the hop is added from the third.
 */
export async function measureOverhead({ inference, manifest, worker, sentences }: OverheadParts): Promise<Overhead> {
  const app: number[] = [];
  const leased: number[] = [];
  const hop: number[] = [];
  const lease = await inference.host.lease(manifest);
  const ways: (readonly [number[], (text: string) => Promise<number>])[] = [
    [app, (text) => timed(() => request(inference, text))],
    [leased, (text) => timed(() => lease.run(inputOf(text)))],
    [
      hop,
      async (text) => {
        let computeMs = 0;
        const ms = await timed(async () => {
          computeMs = (await worker.run(inputOf(text))).computeMs;
        });
        return ms - computeMs;
      },
    ],
  ];
  for (const [index, text] of sentences.entries()) {
    for (let turn = 0; turn < ways.length; turn++) {
      const way = ways[(index + turn) % ways.length];
      if (way !== undefined) way[0].push(await way[1](text));
    }
  }
  lease.release();
  const hopMs = median(hop);
  const around = app.map((ms, index) => ms - (leased[index] ?? Number.NaN));
  return {
    appMs: median(app),
    leaseMs: median(leased),
    hopMs,
    overheadMs: median(around) + hopMs,
    bareMs: median(leased) - hopMs,
  };
}

function inputOf(text: string): TranslationInput {
  return { task: 'translation', texts: [text], source: 'en', target: 'es' };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function request({ app }: Inference, text: string): Promise<void> {
  const response = await app.request('/translate', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ q: text, source: 'en', target: 'es' }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`the app answered ${response.status} ${JSON.stringify(body)}`);
}
