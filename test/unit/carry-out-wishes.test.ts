import { expect, it } from 'vitest';
import { createCarryOut } from '../../functions/inference/carry-out-wishes.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { createFakeCatalog, translationManifest } from '../support/fake-catalog.ts';
import { modelStatus } from '../support/fake-host.ts';

const model = 'translate-en-es';

/** A host that tells what it was asked to do. */
function stage({ loadFails = false, unloadFails = false, storeIsAway = 0 } = {}) {
  const known = createFakeCatalog([translationManifest(model, 'en>es')]);
  let questions = 0;
  const waits: (() => void)[] = [];
  const asked: string[] = [];
  const warnings: unknown[] = [];
  const { carryOut, underWay } = createCarryOut({
    host: {
      ensureReady: async (manifest, options) => {
        asked.push(`load ${modelKey(manifest)} ${options?.priority}`);
        if (loadFails) throw new Error('no room');
      },
      pin: (id, until) => void asked.push(`pin ${id} until ${until}`),
      unpin: (id) => void asked.push(`unpin ${id}`),
      unload: async (key) => {
        asked.push(`unload ${key}`);
        if (unloadFails) throw new Error('the worker does not end');
      },
      status: () => [modelStatus({ version: '1' }), modelStatus({ version: '2' }), modelStatus({ id: 'other' })],
    },
    catalog: {
      model: async (id) => {
        if (questions++ < storeIsAway) throw new StoreUnavailableError('away');
        return known.model(id);
      },
    },
    clock: { now: () => 0, sleep: () => new Promise((resolve) => waits.push(resolve)) },
    random: () => 0.5,
    log: { info: () => {}, warn: (_, fields) => void warnings.push(fields), error: () => {} },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** The next question is due. */
  const again = async () => {
    waits.shift()?.();
    await settle();
  };
  return { asked, warnings, carryOut, underWay, settle, again };
}

it.each([
  ['pinned', 5, [`pin ${model} until 5`, `load ${model}@1 background`]],
  ['loaded', undefined, [`unpin ${model}`, `load ${model}@1 background`]],
  ['unloaded', undefined, [`unpin ${model}`, `unload ${model}@1`, `unload ${model}@2`]],
  [undefined, undefined, [`unpin ${model}`]],
] as const)('a model that is to be %s', async (want, until, expected) => {
  const { asked, carryOut, settle } = stage();
  carryOut(model, want, until);
  await settle();
  expect(asked).toEqual(expected);
});

it('a load waits until the store tells what the model is', async () => {
  const { asked, warnings, carryOut, settle, again } = stage({ storeIsAway: 2 });
  carryOut(model, 'pinned', 5);
  await settle();
  await again();
  expect(asked).toEqual([`pin ${model} until 5`]);

  await again();

  expect(asked).toEqual([`pin ${model} until 5`, `load ${model}@1 background`]);
  expect(warnings).toEqual([]);
});

it('a load that waits for the store is given up for what is wanted after it', async () => {
  const { asked, carryOut, underWay, settle, again } = stage({ storeIsAway: 1 });
  carryOut(model, 'loaded', undefined);
  await settle();
  carryOut(model, 'unloaded', undefined);
  await again();
  await settle();

  expect(underWay()).toBeUndefined();
  expect(asked.filter((what) => what.startsWith('load'))).toEqual([]);
});

it('a load is given up when the store stays away', async () => {
  const { warnings, carryOut, underWay, settle, again } = stage({ storeIsAway: 20 });
  carryOut(model, 'loaded', undefined);
  await settle();
  for (let question = 1; question < 20; question++) await again();

  expect(underWay()).toBeUndefined();
  expect(warnings).toEqual([{ model, code: 'STORE_UNAVAILABLE', reason: 'away' }]);
});

it('a load that fails is told in the log, and ends nothing else', async () => {
  const { warnings, carryOut, settle } = stage({ loadFails: true });
  carryOut(model, 'loaded', undefined);
  await settle();
  expect(warnings).toEqual([{ model, code: undefined, reason: 'no room' }]);
});

it('tells when all that is wanted is done, what failed included', async () => {
  const { warnings, carryOut, underWay } = stage({ loadFails: true, unloadFails: true });
  expect(underWay()).toBeUndefined();
  carryOut(model, 'loaded', undefined);
  carryOut(model, 'unloaded', undefined);

  await underWay();

  expect(warnings).toMatchObject([{ reason: 'the worker does not end' }, { reason: 'no room' }]);
  expect(underWay()).toBeUndefined();
});
