import { describe, expect, test } from 'vitest';
import type { ModelLoadingSettings } from '../../shared/config/model-loading.ts';
import { createPreload } from '../../shared/host/preload.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { createFakeCatalog } from '../support/fake-catalog.ts';
import { createScriptedHost, isSettled, settle } from '../support/scripted-host.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

const models = ['a', 'b', 'c'].map((id) => scriptedManifest(id));

function createStart(
  settings: Pick<ModelLoadingSettings, 'strategy' | 'preloadModels'>,
  catalog: Catalog = createFakeCatalog(models),
) {
  const scripted = createScriptedHost({ ...settings, retry: { maxAttempts: 1 } });
  const lines: string[] = [];
  const note = (event: string, fields?: Readonly<Record<string, unknown>>) => {
    lines.push(`${event} ${JSON.stringify(fields)}`);
  };
  const preload = createPreload({
    host: scripted.host,
    catalog,
    settings,
    log: { info: note, warn: note, error: note },
  });
  return { ...scripted, preload, lines };
}

/** Brings every load to its end, one after the other. @returns their keys in order */
async function loadAll({ loader }: ReturnType<typeof createStart>): Promise<string[]> {
  for (let round = 0; round <= models.length; round++) {
    await settle();
    for (const load of loader.loads) if (!load.settled) load.succeed();
  }
  return loader.loads.map(({ key }) => key);
}

describe('at start', () => {
  test.each([
    ['nothing is loaded by default', 'lazy', [], []],
    ['the models that are named are, in their order', 'lazy', ['c', 'a'], ['c@1.0.0', 'a@1.0.0']],
    ['all are under eager', 'eager', [], ['a@1.0.0', 'b@1.0.0', 'c@1.0.0']],
    ['all are under eager, those that are named first', 'eager', ['b'], ['b@1.0.0', 'a@1.0.0', 'c@1.0.0']],
  ] as const)('%s', async (_, strategy, preloadModels, expected) => {
    const start = createStart({ strategy, preloadModels });
    const started = start.preload.start();

    expect(await loadAll(start)).toEqual(expected);
    await started;
  });

  test('it is over when every model is READY or has failed', async () => {
    const start = createStart({ strategy: 'lazy', preloadModels: ['a', 'b'] });
    const started = start.preload.start();
    await settle();
    start.loader.last.fail(new StoreUnavailableError('S3 does not answer'));
    await settle();
    expect(await isSettled(started)).toBe(false);
    start.loader.last.succeed();

    await started;
  });

  test('happens once', async () => {
    const start = createStart({ strategy: 'eager', preloadModels: [] });
    const [first, second] = [start.preload.start(), start.preload.start()];
    await loadAll(start);
    await Promise.all([first, second]);
    await start.preload.start();

    expect(start.loader.loads).toHaveLength(3);
  });

  test('warns of models that are named and not there', async () => {
    const start = createStart({ strategy: 'lazy', preloadModels: ['a', 'nobody'] });
    const started = start.preload.start();
    expect(await loadAll(start)).toEqual(['a@1.0.0']);
    await started;

    expect(start.lines).toEqual([expect.stringContaining('"missing":["nobody"]')]);
  });

  test('happens with the next call when the catalog could not be read', async () => {
    let isAway = true;
    const catalog = createFakeCatalog(models);
    const failing: Catalog = {
      ...catalog,
      models: async () => {
        if (isAway) throw new StoreUnavailableError('S3 does not answer');
        return catalog.models();
      },
    };
    const start = createStart({ strategy: 'eager', preloadModels: [] }, failing);
    await start.preload.start();
    expect(start.lines).toEqual([expect.stringContaining('S3 does not answer')]);

    isAway = false;
    const again = start.preload.start();

    expect(await loadAll(start)).toHaveLength(3);
    await again;
  });
});
