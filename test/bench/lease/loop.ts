/** A ready model in a process like the deployed one, whose leases are timed. */
import { pathToFileURL } from 'node:url';
import { begin } from '../../../functions/inference/begin.ts';
import { composeInference } from '../../../functions/inference/compose.ts';
import type { Log } from '../../../shared/observability/log.ts';
import { serve } from '../serve.ts';

export interface LoopStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  readonly model: string;
}

export interface LoopRequest {
  /** Leases of each kind. */
  readonly leases: number;
}

/** Ns for each lease with its release. */
export interface Timed {
  /** One after the other. */
  readonly oneByOne: number;
  /** `CROWD` at a time: all are held before the first is released. */
  readonly crowded: number;
  /** Calling and awaiting an async function that does nothing but hand out such an object: what the language itself takes. */
  readonly floor: number;
}

export const CROWD = 200;

const { bundle, model } = JSON.parse(process.argv[2] ?? '') as LoopStart;
const log: Log = { info: () => {}, warn: () => {}, error: (event, fields) => console.error(event, fields) };
const { catalog, host } = composeInference(begin(process.env, pathToFileURL(`${bundle}/`)), { log });

serve<LoopRequest, Timed>(async ({ leases }) => {
  const manifest = await catalog.model(model);
  // The first of all rounds loads it here.
  (await host.lease(manifest)).release();
  return {
    oneByOne: await nanoseconds(leases, 1, () => host.lease(manifest)),
    crowded: await nanoseconds(leases, CROWD, () => host.lease(manifest)),
    floor: await nanoseconds(leases, 1, async () => ({ release: () => {} })),
  };
});

async function nanoseconds(count: number, crowd: number, lease: () => Promise<{ release(): void }>): Promise<number> {
  const started = performance.now();
  for (let done = 0; done < count; done += crowd) {
    if (crowd === 1) {
      (await lease()).release();
      continue;
    }
    const held = await Promise.all(Array.from({ length: crowd }, lease));
    for (const one of held) one.release();
  }
  return ((performance.now() - started) / count) * 1e6;
}
