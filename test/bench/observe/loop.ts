/** The inference app twice in one process: as it is on Lambda, and with sinks that do nothing. */
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference, type Inference } from '../../../functions/inference/compose.ts';
import { encodeSnapshot } from '../../../shared/fleet/instance-snapshot-code.ts';
import { noMetrics } from '../../../shared/observability/metrics.ts';
import { serve } from '../serve.ts';
import { median } from '../statistics.ts';

export interface LoopStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  readonly sentences: readonly string[];
}

export type LoopRequest = 'warm' | 'round' | 'nothing to translate';

/** One way of measuring, in turns over all sentences. */
export interface LoopRound {
  /** Median ms of a request without logs and metrics. */
  readonly bareMs: number;
  /** Median ms that logs and metrics add to the same sentence. */
  readonly addedMs: number;
  /** The same, by the sums over the round. */
  readonly addedBySums: number;
  /** Median ms to take a snapshot of the instance and to write it down. */
  readonly snapshotMs: number;
}

const WARM_REQUESTS = 1500;
/** Requests that no model has anything to do with. */
const EMPTY_REQUESTS = 3000;
/** What a snapshot may be. */
const SNAPSHOT_BYTES = 900;

const { bundle, sentences } = JSON.parse(process.argv[2] ?? '') as LoopStart;
const assets = pathToFileURL(`${bundle}/`);
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const observed = composeInference(begin({ ...process.env, AWS_LAMBDA_FUNCTION_NAME: 'inference' }, assets));
const bare = composeInference(begin(process.env, assets), { log: silent, metrics: noMetrics });

serve<{ readonly do: LoopRequest }, LoopRound | number>(async (request) => {
  switch (request.do) {
    case 'warm':
      return warm();
    case 'round':
      return round();
    case 'nothing to translate':
      return emptyRequestMs();
  }
});

/** V8 compiles the app's JavaScript to its last tier in about a thousand requests; any sentence will do. */
async function warm(): Promise<number> {
  const [shortest = ''] = sentences.toSorted((a, b) => a.length - b.length);
  for (let count = 0; count < WARM_REQUESTS; count++) {
    await timed(observed, shortest);
    await timed(bare, shortest);
  }
  return WARM_REQUESTS;
}

async function round(): Promise<LoopRound> {
  const observedMs: number[] = [];
  const without: number[] = [];
  const snapshots: number[] = [];
  for (const [index, text] of sentences.entries()) {
    const first = index % 2 === 0;
    if (first) observedMs.push(await timed(observed, text));
    without.push(await timed(bare, text));
    if (!first) observedMs.push(await timed(observed, text));
    const started = performance.now();
    encodeSnapshot(observed.take(), SNAPSHOT_BYTES);
    snapshots.push(performance.now() - started);
  }
  return {
    bareMs: median(without),
    addedMs: median(observedMs.map((ms, index) => ms - (without[index] ?? Number.NaN))),
    addedBySums: (sum(observedMs) - sum(without)) / sentences.length,
    snapshotMs: median(snapshots),
  };
}

/** Median ms of a request that goes the whole way but for a model: what the request's scope costs is a large part of it. */
async function emptyRequestMs(): Promise<number> {
  const ms: number[] = [];
  for (let count = 0; count < EMPTY_REQUESTS; count++) ms.push(await timed(bare, '🙂'));
  return median(ms.slice(EMPTY_REQUESTS / 2));
}

/** From the request to all that Lambda waits for. */
async function timed({ app, flush }: Inference, text: string): Promise<number> {
  const body = JSON.stringify({ q: text, source: 'en', target: 'es' });
  const started = performance.now();
  const response = await app.request('/translate', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
    body,
  });
  const answer = await response.json();
  flush();
  const ms = performance.now() - started;
  if (!response.ok) throw new Error(`the app answered ${response.status} ${JSON.stringify(answer)}`);
  return ms;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
