import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { postJson, translate } from '../support/local-run.ts';
import type { FailedRun, SwitchedBundle } from '../support/local-switched-bundle.ts';
import { type SwitchedRun, startSwitchedRun } from '../support/local-switched-run.ts';

/** Four instances of the deployed bundle behind the front, frozen between requests, whose engines can be made to fail. */

const INSTANCES = 4;
const RESET_MS = 3_000;
/** How long a run that fails takes: long enough for a second one to overlap. */
const RUN_MS = 150;
const breakerName = 'translate translate-en-es@1.0.0';
const patience = { timeout: 60_000, interval: 50 };

let run: SwitchedRun;
let bundle: SwitchedBundle;
let stack: LocalStack;

beforeAll(async () => {
  run = await startSwitchedRun({
    instances: { inference: INSTANCES },
    monitorEveryMs: 1_000,
    environment: {
      CASALINGUA_CIRCUIT_BREAKER_RESET_TIMEOUT: String(RESET_MS / 1_000),
      CASALINGUA_CIRCUIT_BREAKER_PROBE_LEASE_SECONDS: '5',
      CASALINGUA_CIRCUIT_BREAKER_RAMP_SECONDS: '1',
      CASALINGUA_FLEET_TTL_MS: '500',
    },
  });
  ({ stack, bundle } = run);
});
afterAll(() => run?.close());

interface Health {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly instance_count: number;
  readonly breakers: readonly {
    readonly name: string;
    readonly states: Readonly<Record<string, number>>;
    readonly fleet: { readonly state: string; readonly epoch: number; readonly active_instances: number } | null;
  }[];
}

async function health() {
  const body = (await (await fetch(`${stack.url}/health/detailed`)).json()) as Health;
  return { ...body, breaker: body.breakers.find(({ name }) => name === breakerName) };
}

/** One request on each instance. @returns the statuses */
async function askAll(): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: INSTANCES }, () => translate(stack, 'en')));
  return answers.map(({ status }) => status);
}

function overlapping(runs: readonly FailedRun[]): readonly FailedRun[] {
  return runs.filter((run) =>
    runs.some((other) => other !== run && other.from <= run.until && run.from <= other.until),
  );
}

it('a model that fails on four instances is closed to all of them, probed by one at a time, and comes back on all', async () => {
  await expect.poll(askAll, patience).toEqual([200, 200, 200, 200]);
  await expect
    .poll(async () => {
      await askAll();
      const { instance_count, breaker } = await health();
      return { instance_count, active: breaker?.fleet?.active_instances };
    }, patience)
    .toEqual({ instance_count: INSTANCES, active: INSTANCES });

  // It fails everywhere: in moments nobody is let through any more, on no instance.
  await bundle.fail(RUN_MS);
  await expect
    .poll(async () => {
      const statuses = await askAll();
      return { statuses: [...new Set(statuses)], fleet: (await health()).breaker?.fleet?.state };
    }, patience)
    .toEqual({ statuses: [503], fleet: 'OPEN' });
  const open = await health();
  expect(open.status).toBe('degraded');
  expect(open.reasons.join('; ')).toContain(`the circuit breaker of ${breakerName} is OPEN for the whole fleet`);
  expect((await translate(stack, 'en')).json).toMatchObject({ code: 'BREAKER_OPEN', retryable: true });
  // Other models serve.
  expect((await postJson(`${stack.url}/detect`, { q: 'Buenos días' })).status).toBe(200);

  // Whoever asks all the time, on all instances: of all calls one is the probe, it fails, and it is open for longer.
  const before = bundle.failedRuns().length;
  const epoch = open.breaker?.fleet?.epoch ?? 0;
  await expect
    .poll(async () => {
      await askAll();
      return (await health()).breaker?.fleet?.epoch ?? 0;
    }, patience)
    .toBeGreaterThanOrEqual(epoch + 2);
  const probes = bundle.failedRuns().slice(before);
  expect(overlapping(probes)).toEqual([]);
  // One for each epoch that has ended since, and perhaps that of one that is about to end.
  expect(probes.length).toBeGreaterThanOrEqual(2);
  expect(probes.length).toBeLessThanOrEqual(3);

  // It works again: probes succeed, calls come back, and all is as before, everywhere.
  await bundle.heal();
  await expect
    .poll(async () => ({ statuses: await askAll(), fleet: (await health()).breaker?.fleet?.state }), patience)
    .toEqual({ statuses: [200, 200, 200, 200], fleet: 'CLOSED' });
  await expect
    .poll(async () => {
      await askAll();
      const { status, reasons } = await health();
      return { status, reasons };
    }, patience)
    .toEqual({ status: 'healthy', reasons: [] });
});
