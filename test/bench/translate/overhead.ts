import type { Inference } from '../../../functions/inference/compose.ts';
import type { TranslationManifest } from '../../../shared/repository/manifest.ts';
import type { ModelWorker } from '../../../shared/runtime/model-worker.ts';
import type { TranslationInput } from '../../../shared/runtime/tasks.ts';
import { median } from '../statistics.ts';

/** Medians over one-sentence requests, in ms. */
export interface Overhead {
  /** A request through the app, from its JSON to the answer's. */
  readonly appMs: number;
  /** The way to a worker's thread and back alone. */
  readonly hopMs: number;
  /** What a request costs beyond the bare pipeline: the app, the host, the hop. */
  readonly overheadMs: number;
  /** The sentence in its worker: tokens, encoder, decoder. */
  readonly bareMs: number;
}

const WARM_REQUESTS = 1500;

export interface OverheadParts {
  readonly inference: Inference;
  readonly manifest: TranslationManifest;
  /** A second worker of the same model, called directly: it alone tells how long the thread itself took. */
  readonly worker: ModelWorker;
  readonly sentences: readonly string[];
}

/**
 * Each sentence through the app and through a lease on the very worker that the app uses, in turns whose order changes, so
 * that two calls of one sentence into one worker are compared. The way to a thread and back, which both make, is measured
 * on the second worker.
 */
export async function measureOverhead({ inference, manifest, worker, sentences }: OverheadParts): Promise<Overhead> {
  const app: number[] = [];
  const leased: number[] = [];
  const lease = await inference.host.lease(manifest);
  const throughApp = async (text: string) => void app.push(await timed(() => request(inference, text)));
  const throughLease = async (text: string) => void leased.push(await timed(() => lease.run(inputOf(text))));
  for (const [index, text] of sentences.entries()) {
    const turns = index % 2 === 0 ? [throughApp, throughLease] : [throughLease, throughApp];
    for (const turn of turns) await turn(text);
  }
  lease.release();
  const hopMs = median(await hops(worker, sentences));
  const leaseMs = median(leased);
  const around = app.map((ms, index) => ms - (leased[index] ?? Number.NaN));
  return { appMs: median(app), hopMs, overheadMs: median(around) + hopMs, bareMs: leaseMs - hopMs };
}

/**
 * Requests through the app until V8 has compiled its JavaScript to the last tier, which takes about a thousand; for that
 * any sentence will do, so it is the shortest.
 */
export async function warmApp(inference: Inference, sentences: readonly string[]): Promise<void> {
  const [shortest = ''] = sentences.toSorted((a, b) => a.length - b.length);
  for (let count = 0; count < WARM_REQUESTS; count++) await request(inference, shortest);
}

async function hops(worker: ModelWorker, sentences: readonly string[]): Promise<number[]> {
  const ms: number[] = [];
  for (const text of sentences) {
    let computeMs = 0;
    const wholeMs = await timed(async () => {
      computeMs = (await worker.run(inputOf(text))).computeMs;
    });
    ms.push(wholeMs - computeMs);
  }
  return ms;
}

function inputOf(text: string): TranslationInput {
  return { task: 'translation', texts: [text], source: 'en', target: 'es', numBeams: 1 };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function request({ app }: Inference, text: string): Promise<void> {
  const body = JSON.stringify({ q: text, source: 'en', target: 'es' });
  const response = await app.request('/translate', {
    method: 'POST',
    // The length too, as every client of HTTP and the gateway tell it.
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
    body,
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`the app answered ${response.status} ${JSON.stringify(answer)}`);
}
