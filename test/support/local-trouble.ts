import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { copyWithFaults, type FaultyBundle, type ThreadFault } from './local-faulty-bundle.ts';
import type { HeldModel } from './local-health.ts';
import { inferenceBundle, modelFolders } from './local-run.ts';
import { type Answer, type ServedHere, serveHere } from './local-single-process.ts';

/** The model that gets into trouble; the one that detects languages never does. */
export const troubled = 'translate-en-es';
/** The machine may be busy with other tests. */
export const patience = { timeout: 20_000 };

/** Short waits between attempts, so that a model is soon tried again. */
const quickRetries = {
  CASALINGUA_MODEL_LOADING_RETRY_MAX_ATTEMPTS: '2',
  CASALINGUA_MODEL_LOADING_RETRY_INITIAL_SECONDS: '0.05',
  CASALINGUA_MODEL_LOADING_RETRY_MAX_SECONDS: '0.05',
  CASALINGUA_MODEL_LOADING_RETRY_COOLDOWN_SECONDS: '1',
};

export interface Trouble {
  readonly stores: LocalStores;
  readonly bundle: FaultyBundle;
  readonly served: ServedHere;
  serve(variables?: Readonly<Record<string, string>>): Promise<void>;
  ask(): Promise<Answer>;
  held(): Promise<HeldModel | undefined>;
  failsWith(fault: Omit<ThreadFault, 'model'>): void;
  /** What comes of it; until then the other model serves. */
  meanwhile<Result>(result: Promise<Result>): Promise<Result>;
  expectRecovery(): Promise<void>;
}

/** For a whole file of tests: real workers, engine, files and stores in one process, in which another model serves all the time. */
export function makeTrouble(): Trouble {
  let stores: LocalStores;
  let bundle: FaultyBundle;
  let served: ServedHere;
  beforeAll(async () => {
    stores = await startLocalStores({ modelFolders });
  });
  afterAll(() => stores.close());
  beforeEach(async () => {
    bundle = await copyWithFaults(inferenceBundle);
  });
  afterEach(async () => {
    // It serves to the end, whatever has happened.
    expect(await served.detect()).toBe(200);
    await served.close();
    await bundle.remove();
  });

  const ask = () => served.translate('en');
  const held = () => served.held(troubled);
  return {
    get stores() {
      return stores;
    },
    get bundle() {
      return bundle;
    },
    get served() {
      return served;
    },
    async serve(variables = {}) {
      served = await serveHere(stores, { bundle: bundle.folder, variables: { ...quickRetries, ...variables } });
      expect(await served.detect()).toBe(200);
    },
    ask,
    held,
    failsWith: (fault) => bundle.set({ model: troubled, ...fault }),
    async meanwhile(result) {
      let isOver = false;
      const over = () => {
        isOver = true;
      };
      result.then(over, over);
      while (!isOver) expect(await served.detect()).toBe(200);
      return result;
    },
    async expectRecovery() {
      await expect.poll(async () => (await ask()).status, patience).toBe(200);
      expect(await held()).toMatchObject({ state: 'READY', error: null });
    },
  };
}
