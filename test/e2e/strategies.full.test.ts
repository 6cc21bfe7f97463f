import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { statesOf } from '../support/local-health.ts';
import { startLocalRun, translate } from '../support/local-run.ts';

const [detector, toSpanish, toEnglish] = ['language-detection', 'translate-en-es', 'translate-es-en'];
const allReady = { [detector]: 'READY', [toSpanish]: 'READY', [toEnglish]: 'READY' };
const noneLoaded = { [detector]: 'UNLOADED', [toSpanish]: 'UNLOADED', [toEnglish]: 'UNLOADED' };

/** Health is a second old at most; the machine may be busy. */
const patience = { timeout: 15_000 };

let stack: LocalStack;
afterEach(() => stack.close());

/** One instance of inference, with these settings of `model_loading`. */
async function start(settings: Readonly<Record<string, string>>, provisioned = 0): Promise<void> {
  const variables = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`CASALINGUA_MODEL_LOADING_${name}`, value]),
  );
  stack = await startLocalRun({
    instances: { inference: 1 },
    provisioned,
    variables: { ...variables, CASALINGUA_WARM_UP_PROVISIONED: '1' },
  });
}

/** Resident MB of the inference instance. */
function residentMb(): number {
  const { pid } = stack.instances().find(({ id }) => id.startsWith('inference')) ?? {};
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

describe('strategy eager', () => {
  it('has every model READY before the first request where an instance is provisioned', async () => {
    await start({ STRATEGY: 'eager' }, 1);

    expect(await statesOf(stack)).toEqual(allReady);
    expect((await translate(stack, 'en')).status).toBe(200);
  });

  it('loads the others behind what the first request on demand needs; following requests carry them', async () => {
    await start({ STRATEGY: 'eager' });

    const first = await translate(stack, 'es');
    const afterFirst = await statesOf(stack);
    const carried = async () => (await translate(stack, 'es')).status === 200 && statesOf(stack);

    expect(first.status).toBe(200);
    expect([afterFirst[detector], afterFirst[toSpanish]]).not.toContain('READY');
    await expect.poll(carried, patience).toEqual(allReady);
  });
});

describe('strategy lazy', () => {
  it('has what preload_models names before the first request, then what was asked for, and keeps it', async () => {
    await start({ STRATEGY: 'lazy', PRELOAD_MODELS: detector }, 1);

    expect(await statesOf(stack)).toEqual({ ...noneLoaded, [detector]: 'READY' });
    expect((await translate(stack, 'en')).status).toBe(200);
    await expect
      .poll(() => statesOf(stack), patience)
      .toEqual({ ...noneLoaded, [detector]: 'READY', [toSpanish]: 'READY' });
  });
});

describe('strategy on_demand', () => {
  it('has nothing but what preload_models names once the answer is there, and gives the memory back', async () => {
    await start({ STRATEGY: 'on_demand', PRELOAD_MODELS: detector }, 1);

    const answer = await translate(stack, 'en', { source: 'auto' });

    expect(answer).toMatchObject({ status: 200, json: { detectedLanguage: { language: 'en' } } });
    // An answer waits half a second for the end of a thread; where that takes longer, the next request sees it.
    const atTheNext = async <Value>(look: () => Value | Promise<Value>) => {
      await fetch(`${stack.url}/languages`);
      return look();
    };
    await expect.poll(() => atTheNext(() => statesOf(stack)), patience).toEqual({ ...noneLoaded, [detector]: 'READY' });

    await translate(stack, 'en', { keep_alive: 60 });
    const loadedMb = residentMb();
    await translate(stack, 'en', { keep_alive: 0 });
    await expect.poll(() => atTheNext(() => loadedMb - residentMb()), patience).toBeGreaterThan(40);
  });
});
