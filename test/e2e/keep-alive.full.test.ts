import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { modelFolders } from '../support/local-run.ts';
import { type ServedHere, serveHere } from '../support/local-single-process.ts';

const [toSpanish, toEnglish] = ['translate-en-es', 'translate-es-en'];
/** The machine may be busy with other tests. */
const patience = { timeout: 15_000 };

/** What a request says about how long its model is to be kept, in a process that unloads what is idle for two seconds. */
describe('keep_alive', () => {
  let stores: LocalStores;
  let served: ServedHere;
  beforeAll(async () => {
    stores = await startLocalStores({ modelFolders });
  });
  afterEach(() => served.close());
  afterAll(() => stores.close());

  async function serve(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    served = await serveHere(stores, {
      variables: {
        CASALINGUA_MODEL_LOADING_IDLE_UNLOAD_MINUTES: '0.035',
        CASALINGUA_MODEL_LOADING_SWEEP_SECONDS: '1',
        ...variables,
      },
    });
  }

  async function stateOf(model: string): Promise<string | undefined> {
    return (await served.held(model))?.state;
  }

  it('0 unloads the model when the answer is there', async () => {
    await serve();

    const { status } = await served.translate('en', { keep_alive: 0 });

    expect(status).toBe(200);
    expect(await stateOf(toSpanish)).not.toBe('READY');
    await expect.poll(() => stateOf(toSpanish), patience).toBe('UNLOADED');
  });

  it('a negative number keeps it when others go for want of use', async () => {
    await serve();
    await served.translate('en', { keep_alive: -1 });
    await served.translate('es');

    await expect.poll(() => stateOf(toEnglish), patience).toBe('UNLOADED');

    expect(await stateOf(toSpanish)).toBe('READY');
  });

  it('a duration keeps it for so long, shorter than the configuration says', async () => {
    await serve({ CASALINGUA_MODEL_LOADING_IDLE_UNLOAD_MINUTES: '30' });
    await served.translate('en', { keep_alive: '1s' });
    await served.translate('es');

    await expect.poll(() => stateOf(toSpanish), patience).toBe('UNLOADED');

    expect(await stateOf(toEnglish)).toBe('READY');
  });

  it('means nothing where the configuration does not allow it', async () => {
    await serve({
      CASALINGUA_MODEL_LOADING_IDLE_UNLOAD_MINUTES: '30',
      CASALINGUA_MODEL_LOADING_KEEP_ALIVE_ALLOWED: 'false',
    });

    await served.translate('en', { keep_alive: 0 });

    expect(await stateOf(toSpanish)).toBe('READY');
  });
});
