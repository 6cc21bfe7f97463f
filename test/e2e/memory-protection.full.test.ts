import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { modelFolders } from '../support/local-run.ts';
import { type ServedHere, serveHere } from '../support/local-single-process.ts';

const [toSpanish, toEnglish] = ['translate-en-es', 'translate-es-en'];
/** MB in which one loads, which takes 320, and not the other beside it: once loaded, each holds 50 or more. */
const ROOM_FOR_ONE = 340;

/** Real models in a process whose settings leave little to them. */
describe('an instance with little memory', () => {
  let stores: LocalStores;
  let served: ServedHere;
  beforeAll(async () => {
    stores = await startLocalStores({ modelFolders });
  });
  afterEach(() => served.close());
  afterAll(() => stores.close());

  /** Leaves so much to models, whatever this process takes already. */
  async function serve(budgetMb: number, variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const limitMb = 100_000;
    const minimumMb = limitMb - budgetMb - Math.round(process.memoryUsage.rss() / 2 ** 20);
    served = await serveHere(stores, {
      variables: {
        CASALINGUA_MODEL_LOADING_MEMORY_PROTECTION_LIMIT_MB: String(limitMb),
        CASALINGUA_MODEL_LOADING_MEMORY_PROTECTION_MINIMUM_REQUIRED: String(minimumMb),
        ...variables,
      },
    });
  }

  async function stateOf(model: string): Promise<string | undefined> {
    return (await served.held(model))?.state;
  }

  it('serves both directions in turn: one goes as the other comes', async () => {
    await serve(ROOM_FOR_ONE, { CASALINGUA_MODEL_LOADING_MINIMUM_RESIDENCY_SECONDS: '0' });

    for (const [source, model, other] of [
      ['en', toSpanish, toEnglish],
      ['es', toEnglish, toSpanish],
      ['en', toSpanish, toEnglish],
      ['es', toEnglish, toSpanish],
    ] as const) {
      expect((await served.translate(source)).status).toBe(200);
      expect(await stateOf(model)).toBe('READY');
      expect(await stateOf(other)).not.toBe('READY');
    }
  });

  it('refuses for now what does not fit beside a model that was just loaded, says when, and serves on', async () => {
    await serve(ROOM_FOR_ONE, { CASALINGUA_MODEL_LOADING_MINIMUM_RESIDENCY_SECONDS: '50' });
    await served.translate('en');

    const { status, retryAfter, json } = await served.translate('es');

    expect({ status, code: json['code'], retryable: json['retryable'] }).toEqual({
      status: 503,
      code: 'MEMORY_SHORT',
      retryable: true,
    });
    expect(Number(retryAfter)).toBeGreaterThan(30);
    expect(Number(retryAfter)).toBeLessThanOrEqual(50);
    expect(await served.held(toEnglish)).toMatchObject({ state: 'UNLOADED', error: { code: 'MEMORY_SHORT' } });
    expect((await served.translate('en')).status).toBe(200);
  });

  it('refuses for good what can never fit, at once and before a byte of it is fetched, and serves what fits', async () => {
    await serve(200);

    const { status, retryAfter, json } = await served.translate('en');

    expect({ status, retryAfter, code: json['code'], retryable: json['retryable'] }).toEqual({
      status: 507,
      retryAfter: null,
      code: 'CANNOT_FIT',
      retryable: false,
    });
    expect(await served.held(toSpanish)).toMatchObject({
      state: 'FAILED',
      attempts: 0,
      next_try_at: null,
      error: { code: 'CANNOT_FIT', message: expect.stringContaining('320 MB') },
    });
    expect((await served.health()).status).toBe('degraded');
    expect(await served.detect()).toBe(200);
  });
});
