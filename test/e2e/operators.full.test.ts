import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import type { ModelState } from '../../shared/host/model-state.ts';
import { fleetCli, type Outcome } from '../support/fleet-cli.ts';
import { postJson, translate } from '../support/local-run.ts';
import type { SwitchedBundle } from '../support/local-switched-bundle.ts';
import { type SwitchedRun, startSwitchedRun } from '../support/local-switched-run.ts';

/** What an operator says by the command, and two instances do: frozen between requests, they hear of it with the next ones. */

const INSTANCES = 2;
const TTL_MS = 1_000;
const MODEL = 'translate-en-es';
const BREAKER = `translate ${MODEL}@1.0.0`;
const patience = { timeout: 60_000, interval: 50 };

let run: SwitchedRun;
let bundle: SwitchedBundle;
let stack: LocalStack;

beforeAll(async () => {
  run = await startSwitchedRun({
    instances: { inference: INSTANCES },
    environment: { CASALINGUA_FLEET_TTL_MS: String(TTL_MS) },
  });
  ({ stack, bundle } = run);
});
afterAll(() => run?.close());

interface Health {
  readonly status: string;
  readonly reasons: readonly string[];
  readonly breakers: readonly { readonly name: string; readonly fleet: { readonly state: string } | null }[];
  readonly instances: readonly {
    readonly models: readonly { readonly name: string; readonly state: ModelState; readonly stays: boolean }[];
    readonly breakers: readonly { readonly name: string; readonly state: string; readonly fleet_wide: boolean }[];
    readonly wishes: Readonly<Record<string, number>>;
  }[];
}

async function health() {
  const body = (await (await fetch(`${stack.url}/health/detailed`)).json()) as Health;
  return { ...body, shared: body.breakers.find(({ name }) => name === BREAKER)?.fleet };
}

/** What each instance has of the model, and the operator's wish that it carried out last. */
async function held() {
  return (await health()).instances.map(({ models, wishes }) => {
    const { state, stays } = models.find(({ name }) => name === MODEL) ?? {};
    return { state, stays, wish: wishes[MODEL] };
  });
}

function onAll<Value>(value: Value): readonly Value[] {
  return Array.from({ length: INSTANCES }, () => value);
}

/** One request on each instance. @returns the statuses */
async function askAll(): Promise<readonly number[]> {
  const answers = await Promise.all(onAll(0).map(() => translate(stack, 'en')));
  return answers.map(({ status }) => status);
}

/** Requests for another model: they let each instance run for a moment, and do not load this one. */
async function visitAll(): Promise<void> {
  await Promise.all(onAll(0).map(() => postJson(`${stack.url}/detect`, { q: 'Buenos días' })));
}

/** What the instances have after such requests. */
async function heldAfterVisits() {
  await visitAll();
  return held();
}

function fleet(...args: string[]): Promise<Outcome> {
  return fleetCli(stack.environment, ...args);
}

async function told(...args: string[]) {
  const { code, stdout, stderr } = await fleet(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

describe('an operator', () => {
  it('forces a breaker open on all instances, closed again, and takes the word back', async () => {
    await expect.poll(askAll, patience).toEqual(onAll(200));

    const open = await fleet('force', BREAKER, 'open', '--why', 'bad translations', '--for', '10m');
    expect(open).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`${BREAKER} is forced open`) });

    // Whoever is asked all the time looks once in the time to live, and goes by it with the next request.
    await expect.poll(askAll, { timeout: 5 * TTL_MS, interval: 20 }).toEqual(onAll(503));
    const refused = await translate(stack, 'en');
    expect(refused).toMatchObject({ status: 503, json: { code: 'BREAKER_OPEN', state: 'OPEN', retryable: true } });
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(500);
    expect(retryAfter).toBeLessThanOrEqual(600);
    // Nobody else is kept from serving.
    expect((await translate(stack, 'es')).status).toBe(200);

    const forced = { by: expect.stringMatching(/./), why: 'bad translations', until: expect.stringMatching(/Z$/) };
    await expect.poll(async () => (await health()).shared, patience).toMatchObject({ state: 'FORCED_OPEN', forced });
    await expect
      .poll(async () => {
        await askAll();
        return (await health()).instances.map(({ breakers }) => breakers.find(({ name }) => name === BREAKER));
      }, patience)
      .toMatchObject(onAll({ state: 'OPEN', fleet_wide: true, epoch: 1 }));
    const { status, reasons } = await health();
    expect(status).toBe('degraded');
    expect(reasons.join('\n')).toMatch(/forced OPEN by .+ until .+Z: bad translations/);

    const closed = await told('force', BREAKER, 'closed', '--why', 'a test');
    expect(closed).toMatchObject({ state: 'FORCED_CLOSED', epoch: 2 });
    await expect.poll(askAll, patience).toEqual(onAll(200));
    await expect.poll(async () => (await health()).shared, patience).toMatchObject({ state: 'FORCED_CLOSED' });
    // So it stays, whatever the calls say.
    await bundle.fail();
    for (let failures = 0; failures < 8; failures++) expect(await askAll()).toEqual(onAll(500));
    await bundle.heal();
    expect(await askAll()).toEqual(onAll(200));

    expect(await told('release', BREAKER)).toEqual({ breaker: BREAKER, state: 'CLOSED', epoch: 3 });
    await expect
      .poll(async () => ({ statuses: await askAll(), shared: (await health()).shared }), patience)
      .toMatchObject({ statuses: onAll(200), shared: { state: 'CLOSED', epoch: 3, forced: null } });
    // What nobody has forced stays as it is.
    expect(await told('release', BREAKER)).toEqual({ breaker: BREAKER, state: 'CLOSED', epoch: 3 });
  });

  it('has every instance pin, unload and load a model, and sees which wish each has carried out', async () => {
    expect(await told('want', MODEL, 'pinned')).toMatchObject({ want: 'pinned', seq: 1, announced: true });
    await expect.poll(heldAfterVisits, patience).toEqual(onAll({ state: 'READY', stays: true, wish: 1 }));

    expect(await told('want', MODEL, 'unloaded')).toMatchObject({ want: 'unloaded', seq: 2 });
    await expect
      .poll(async () => (await heldAfterVisits()).map(({ state = 'UNLOADED', wish }) => ({ state, wish })), patience)
      .toEqual(onAll({ state: 'UNLOADED', wish: 2 }));

    // Nobody asks for it: it comes since it is wanted.
    expect(await told('want', MODEL, 'loaded', '--for', '1h')).toMatchObject({ want: 'loaded', seq: 3 });
    await expect.poll(heldAfterVisits, patience).toEqual(onAll({ state: 'READY', stays: false, wish: 3 }));
  });

  it('is shown what the instances share', async () => {
    await fleet('force', BREAKER, 'closed', '--why', 'it is watched', '--for', '1h');

    const shown = await fleet('status');
    const lines = shown.stdout.trim().split('\n');

    expect(shown).toMatchObject({ code: 0, stderr: '' });
    const ofBreaker = lines.find((line) => line.startsWith(BREAKER));
    expect(ofBreaker).toMatch(/: FORCED_CLOSED in epoch 4\b.*, by .+ until .+Z: it is watched$/);
    expect(lines.find((line) => line.startsWith(`${MODEL}:`))).toMatch(/: is to be loaded, wish 3 by .+/);
    expect(await told('status')).toMatchObject({ wishes: [{ model: MODEL, want: 'loaded', seq: 3, isOver: false }] });
  });

  it.each<readonly [args: readonly string[], message: RegExp]>([
    [[], /Usage: fleet/],
    [['shut'], /unknown command 'shut'/],
    [
      ['force', MODEL, 'open', '--why', 'x'],
      /a circuit breaker is "translate", "detect" or "load" and <model>@<version>/,
    ],
    [['force', BREAKER, 'ajar', '--why', 'x'], /Allowed choices are open, closed/],
    [['force', BREAKER, 'open'], /required option '--why <words>' not specified/],
    [['force', BREAKER, 'open', '--why', 'x', '--for', 'ever'], /a duration like 30m or 1h30m/],
    [['want', 'Not A Model', 'loaded'], /a model id has lower case letters/],
    [['want', MODEL, 'gone'], /Allowed choices are loaded, unloaded, pinned/],
    [['permits', MODEL, '0'], /a whole number from 1 to 1000/],
  ])('who says %j is told what is wrong with it', async (args, message) => {
    expect(await fleet(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('who names no table, or a store that is away, is told so', async () => {
    const { CASALINGUA_TABLE: _, ...withoutTable } = stack.environment;
    expect(await fleetCli(withoutTable, 'status')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--table'),
    });

    const away = { ...stack.environment, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' };
    for (const args of [['status'], ['force', BREAKER, 'open', '--why', 'x'], ['want', MODEL, 'loaded']]) {
      const outcome = await fleetCli(away, ...args);
      expect(outcome).toMatchObject({ code: 75, stdout: '' });
      expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});
