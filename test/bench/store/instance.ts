/** One instance, composed as the deployed one, that is asked at an even pace. */
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference } from '../../../functions/inference/compose.ts';
import type { Log } from '../../../shared/observability/log.ts';
import { serve } from '../serve.ts';

export interface InstanceStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
}

export interface Asked {
  readonly requests: number;
  /** Ms before each. */
  readonly pauseMs: number;
}

const { bundle } = JSON.parse(process.argv[2] ?? '') as InstanceStart;
const log: Log = { info: () => {}, warn: () => {}, error: (event, fields) => console.error(event, fields) };
const { app, pending } = composeInference(begin(process.env, pathToFileURL(`${bundle}/`)), { log });

/** Ms that each request took. */
serve<Asked, readonly number[]>(async ({ requests, pauseMs }) => {
  const tookMs: number[] = [];
  const startedAt = performance.now();
  for (let request = 0; request < requests; request++) {
    await delay(Math.max(0, startedAt + (request + 1) * pauseMs - performance.now()));
    const from = performance.now();
    const answer = await app.request('/detect', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ q: 'Buenos días' }),
    });
    await answer.text();
    tookMs.push(performance.now() - from);
    if (answer.status !== 200) throw new Error(`a request was answered ${answer.status}`);
  }
  // What is out beside the requests comes to its end.
  await pending();
  return tookMs;
});
