/** Callers of one process, who ask again as soon as they are answered: with micro-batching and without. */
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference } from '../../../functions/inference/compose.ts';
import { serve } from '../serve.ts';

export interface CallersStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  readonly sentences: readonly string[];
  /** Folders for what is downloaded, of either side. */
  readonly caches: Readonly<Record<Side, string>>;
}

export type Side = 'batched' | 'single';

export interface CallersRequest {
  readonly side: Side;
  readonly callers: number;
  /** Answers in all. */
  readonly requests: number;
}

export interface CallersRound {
  readonly perSecond: number;
  /** Requests in a run, in the mean. */
  readonly requestsPerRun: number;
}

const { bundle, sentences, caches } = JSON.parse(process.argv[2] ?? '') as CallersStart;
const compose = (side: Side) =>
  composeInference(
    begin(
      {
        ...process.env,
        CASALINGUA_CACHE_FOLDER: caches[side],
        CASALINGUA_ADMISSION_BATCHING_MODE: side === 'batched' ? 'on' : 'off',
        // Everybody is served, however slow this machine is.
        CASALINGUA_ADMISSION_ENABLED: 'false',
      },
      pathToFileURL(`${bundle}/`),
    ),
  );
const sides = { batched: compose('batched'), single: compose('single') };

serve<CallersRequest, CallersRound>(async ({ side, callers, requests }) => {
  const { app, gate } = sides[side];
  const before = gate.report();
  const started = performance.now();
  let asked = 0;
  const caller = async () => {
    while (asked < requests) {
      const text = sentences[asked++ % sentences.length] ?? '';
      const body = JSON.stringify({ q: text, source: 'en', target: 'es' });
      const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
      const response = await app.request('/translate', { method: 'POST', headers, body });
      if (response.status !== 200) throw new Error(`the app answered ${response.status} ${await response.text()}`);
      await response.json();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - started) / 1000;
  const after = gate.report();
  const shared = after.batchedRequests - before.batchedRequests;
  const runs = after.batches - before.batches + (requests - shared);
  return { perSecond: requests / seconds, requestsPerRun: requests / runs };
});
