import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type HeldModel, heldModel } from '../support/local-health.ts';
import { startLocalRun, translate } from '../support/local-run.ts';

const model = 'translate-en-es';
/** Of one connection: both bring the model in some five seconds, many times as long as a request here may take. */
const BYTES_PER_SECOND = 1_200_000;
const DOWNLOAD = {
  CASALINGUA_DOWNLOAD_CONCURRENCY: '2',
  CASALINGUA_DOWNLOAD_PART_BYTES: '2097152',
  // Who waits for dead connections to fall silent is not through in time.
  CASALINGUA_DOWNLOAD_STALL_MS: '60000',
};
const DEADLINE_MS = 1_000;
/** Longer than any pause that the host does not take for a freeze. */
const FREEZE_MS = 2_200;
/** After every third request; in the other pauses connections stay alive. */
const REQUESTS_BETWEEN_FREEZES = 3;

interface Answer {
  readonly status: number;
  readonly code: unknown;
  readonly retryAfter: number;
  readonly percent: number;
}

describe('a load that takes longer than a request may', () => {
  let stack: LocalStack;
  let proxy: FaultProxy;
  let coldStarts: number;
  beforeEach(async () => {
    coldStarts = 0;
    proxy = await startFaultProxy(() => stack.s3Endpoint);
    stack = await startLocalRun({
      instances: { inference: 1 },
      environment: { AWS_ENDPOINT_URL_S3: proxy.endpoint, ...DOWNLOAD },
      onNote: (note) => {
        if (note.type === 'cold start' && note.function === 'inference') coldStarts++;
      },
    });
  });
  afterEach(async () => {
    await stack.close();
    await proxy.close();
  });

  const pid = () => stack.instances().find(({ id }) => id.startsWith('inference'))?.pid;

  async function ask(): Promise<Answer> {
    const { status, headers, json } = await translate(stack, 'en', {
      headers: { 'x-request-deadline-ms': String(DEADLINE_MS) },
    });
    const [, percent] = /\((\d+) %\)/.exec(String(json['detail'])) ?? [];
    return { status, code: json['code'], retryAfter: Number(headers.get('retry-after')), percent: Number(percent) };
  }

  /** The instance stands still with its load in it; when it goes on, what it takes for open connections is dead. */
  async function freeze(): Promise<HeldModel | undefined> {
    proxy.deaden();
    const [held] = await Promise.all([heldModel(stack, model), delay(FREEZE_MS)]);
    return held;
  }

  it('comes to its end over a stream of short requests: each brings it further, and hardly a byte comes twice', async () => {
    proxy.faults.bytesPerSecond = BYTES_PER_SECOND;
    // The instance and its catalog are there; only the model is not.
    expect((await fetch(`${stack.url}/languages`)).status).toBe(200);
    const refused: Answer[] = [];
    const frozen: (HeldModel | undefined)[] = [];
    let answer = await ask();
    const firstPid = pid();
    for (; answer.status !== 200 && refused.length < 40; answer = await ask()) {
      refused.push(answer);
      if (refused.length % REQUESTS_BETWEEN_FREEZES === 0) frozen.push(await freeze());
    }

    expect(answer.status).toBe(200);
    // The model came, and the rest of that request's time was too short to use it.
    if (refused.at(-1)?.code === 'DEADLINE_EXCEEDED') refused.pop();
    expect(refused.length).toBeGreaterThan(3);
    for (const { status, code, retryAfter } of refused) {
      expect({ status, code }).toEqual({ status: 503, code: 'MODEL_LOADING' });
      expect(retryAfter).toBeGreaterThanOrEqual(1);
    }
    expectToGrow(refused.map(({ percent }) => percent));
    expect(frozen[0]).toMatchObject({ state: 'DOWNLOADING', attempts: 1, error: null });
    expectToGrow(frozen.map((held) => held?.bytes_loaded ?? Number.NaN));
    expect(proxy.bytesSent).toBeLessThan(1.2 * (frozen[0]?.bytes_total ?? 0));
    expect(pid()).toBe(firstPid);
    expect(coldStarts).toBe(1);
  }, 60_000);
});

/** Never less than before, and in the end more than at first. */
function expectToGrow(numbers: readonly number[]): void {
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(numbers.at(-1)).toBeGreaterThan(numbers[0] ?? Number.NaN);
}
