import { expect, it } from 'vitest';
import { createCarryOut } from '../../functions/inference/carry-out-wishes.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { createFakeCatalog, translationManifest } from '../support/fake-catalog.ts';
import { modelStatus } from '../support/fake-host.ts';

const model = 'translate-en-es';

/** A host that tells what it was asked to do. */
function stage({ loadFails = false, unloadFails = false } = {}) {
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
    catalog: createFakeCatalog([translationManifest(model, 'en>es')]),
    log: { info: () => {}, warn: (_, fields) => void warnings.push(fields), error: () => {} },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { asked, warnings, carryOut, underWay, settle };
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

  expect(warnings).toMatchObject([{ reason: 'no room' }, { reason: 'the worker does not end' }]);
  expect(underWay()).toBeUndefined();
});
