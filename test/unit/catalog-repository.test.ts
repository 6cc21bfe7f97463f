import { describe, expect, it } from 'vitest';
import type { Pin } from '../../shared/config/pin.ts';
import type { ActiveVersion, ActiveVersionReader } from '../../shared/repository/active-version-reader.ts';
import { chooseVersion, EMPTY_VIEW } from '../../shared/repository/active-view.ts';
import {
  ManifestInvalidError,
  ObjectNotFoundError,
  StoreUnavailableError,
  UnknownModelError,
} from '../../shared/repository/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { Listing, ObjectStore, RangeResponse } from '../../shared/repository/object-store.ts';
import { type CatalogOptions, RepositoryCatalog } from '../../shared/repository/repository-catalog.ts';
import { manifestOf } from '../property/download-fault-store.ts';

const TTL_MS = 5_000;

/** Active versions that a test sets, breaks or holds back. */
class FakeActive implements ActiveVersionReader {
  versions = new Map<string, ActiveVersion>();
  reads: (readonly string[])[] = [];
  failure: Error | undefined;
  isSilent = false;

  async read(
    ids: readonly string[],
    options: { signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<string, ActiveVersion>> {
    this.reads.push(ids);
    if (this.isSilent) {
      return new Promise((_, reject) => {
        options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error), { once: true });
      });
    }
    if (this.failure !== undefined) {
      throw this.failure;
    }
    return new Map([...this.versions].filter(([id]) => ids.includes(id)));
  }
}

/** Manifests in memory. */
class FakeStore implements ObjectStore {
  texts = new Map<string, string>();
  reads: string[] = [];
  lists = 0;
  failure: Error | undefined;

  put(id: string, version: string, text?: string): void {
    const manifest: Manifest = manifestOf({ 'a.onnx': Buffer.from('a') }, version, id);
    this.texts.set(`models/${id}/${version}/manifest.json`, text ?? JSON.stringify(manifest));
  }

  getRange(): Promise<RangeResponse> {
    return Promise.reject(new ObjectNotFoundError('404'));
  }

  async getText(key: string): Promise<string> {
    this.reads.push(key);
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const text = this.texts.get(key);
    if (text === undefined) {
      throw new ObjectNotFoundError('404');
    }
    return text;
  }

  async list(): Promise<Listing> {
    this.lists += 1;
    if (this.failure !== undefined) {
      throw this.failure;
    }
    const folders = [...this.texts.keys()].map((key) => `${key.split('/').slice(0, 2).join('/')}/`);
    return { objects: [], folders: [...new Set(folders)] };
  }

  renewConnections(): void {}
}

const away = new StoreUnavailableError('away');

function setUp(options: Partial<CatalogOptions> = {}) {
  const active = new FakeActive();
  const store = new FakeStore();
  const time = { now: 1_000_000 };
  for (const id of ['a', 'b']) {
    store.put(id, '1.0.0');
    active.versions.set(id, { version: '1.0.0', seq: 1 });
  }
  const catalog = new RepositoryCatalog({
    store,
    active,
    models: ['a', 'b'],
    pins: new Map(),
    clock: { now: () => time.now, sleep: () => Promise.resolve() },
    random: () => 0.5,
    ttlMs: TTL_MS,
    storeTimeoutMs: 10,
    storeFirstTimeoutMs: 20,
    ...options,
  });
  const versions = async () => (await catalog.models()).map(({ id, version }) => `${id}@${version}`);
  /** The refresh that a stale answer began. */
  const afterRefresh = async () => {
    await catalog.models();
    await catalog.pending();
  };
  return { active, store, time, catalog, versions, afterRefresh };
}

function pinned(version: string, hard = false): ReadonlyMap<string, Pin> {
  return new Map([['a', { version, hard }]]);
}

describe('chooseVersion', () => {
  const view = { versions: new Map([['a', { version: '2.0.0', seq: 7 }]]) };

  it('takes a hard pin before the active version, and that before a soft pin', () => {
    expect(chooseVersion('a', { version: '0.9.0', hard: true }, view, undefined)).toEqual({ version: '0.9.0' });
    expect(chooseVersion('a', { version: '0.9.0', hard: false }, view, away)).toEqual({ version: '2.0.0' });
    expect(chooseVersion('a', { version: '0.9.0', hard: false }, EMPTY_VIEW, away)).toEqual({ version: '0.9.0' });
  });

  it('tells a store that is away from a model that has no version', () => {
    expect(chooseVersion('a', undefined, EMPTY_VIEW, away)).toEqual({ error: away });
    expect(chooseVersion('a', undefined, EMPTY_VIEW, undefined)).toEqual({ error: expect.any(UnknownModelError) });
  });
});

describe('RepositoryCatalog', () => {
  it('begins to read before anybody asks, and whoever asks then joins', async () => {
    const { active, store, catalog, versions } = setUp();

    catalog.begin();
    expect(catalog.pending()).toBeDefined();
    expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0']);
    catalog.begin();

    expect(catalog.pending()).toBeUndefined();
    expect(active.reads).toHaveLength(1);
    expect(store.reads).toHaveLength(2);
  });

  it('reads everything once and then answers from memory', async () => {
    const { active, store, catalog, versions, time } = setUp();

    expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0']);
    time.now += TTL_MS - 1;
    await versions();
    await catalog.model('b');

    expect(active.reads).toEqual([['a', 'b']]);
    expect(store.reads).toHaveLength(2);
    expect(store.lists).toBe(0);
  });

  it('reads the active versions anew when the fleet tells that they have changed, and not before', async () => {
    const { active, catalog, versions } = setUp();
    catalog.announced(7);
    await versions();
    active.versions.set('a', { version: '1.0.0', seq: 2 });
    catalog.announced(7);
    await catalog.pending();
    expect(active.reads).toHaveLength(1);

    catalog.announced(8);
    await catalog.pending();
    expect(active.reads).toHaveLength(2);
  });

  it('reads them once more when the change is told during a reading, which may have come too early', async () => {
    const { active, catalog, versions } = setUp();
    await versions();
    catalog.announced(1);
    catalog.announced(2);
    await catalog.pending();
    await catalog.pending();
    expect(active.reads).toHaveLength(3);
  });

  it('asks the stores once however many ask at the same time', async () => {
    const { active, store, catalog } = setUp();

    await Promise.all([catalog.models(), catalog.model('a'), catalog.model('b'), catalog.models()]);

    expect(active.reads).toHaveLength(1);
    expect(store.reads).toHaveLength(2);
  });

  it('answers at once with what it knows when that is stale, and refreshes beside the request', async () => {
    const { active, store, time, versions, afterRefresh } = setUp();
    await versions();
    store.put('a', '2.0.0');
    active.versions.set('a', { version: '2.0.0', seq: 2 });
    time.now += TTL_MS;

    expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0']);
    await afterRefresh();

    expect(await versions()).toEqual(['a@2.0.0', 'b@1.0.0']);
    expect(store.reads).toHaveLength(3);
  });

  it('does not go back to an older change that an eventually consistent read shows', async () => {
    const { active, store, time, versions, afterRefresh } = setUp();
    store.put('a', '2.0.0');
    active.versions.set('a', { version: '2.0.0', seq: 2 });
    await versions();
    active.versions.set('a', { version: '1.0.0', seq: 1 });
    active.versions.delete('b');
    time.now += TTL_MS;

    await afterRefresh();

    expect(await versions()).toEqual(['a@2.0.0', 'b@1.0.0']);
  });

  it('serves on while the store is away, and does not ask at every request', async () => {
    const { active, time, versions, afterRefresh } = setUp();
    await versions();
    active.failure = away;
    time.now += TTL_MS;
    await afterRefresh();
    const reads = active.reads.length;

    expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0']);

    expect(active.reads.length).toBe(reads);
  });

  it('refreshes when the clock was set back', async () => {
    const { active, time, versions, afterRefresh } = setUp();
    await versions();
    time.now -= 1_000;

    await afterRefresh();

    expect(active.reads).toHaveLength(2);
  });

  it('keeps a model whose new version cannot be read for the moment', async () => {
    const { active, store, time, versions, afterRefresh, catalog } = setUp();
    await versions();
    active.versions.set('a', { version: '2.0.0', seq: 2 });
    store.put('a', '2.0.0');
    store.failure = away;
    time.now += TTL_MS;
    await afterRefresh();
    expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0']);
    expect(catalog.problems().get('a')).toBe(away);

    store.failure = undefined;
    time.now += TTL_MS;
    await afterRefresh();

    expect(await versions()).toEqual(['a@2.0.0', 'b@1.0.0']);
    expect(catalog.problems().size).toBe(0);
  });

  it('does not let a model with a bad manifest hide the others, and names what is wrong with it', async () => {
    const { store, versions, catalog } = setUp();
    store.put('a', '1.0.0', '{"schema":1}');

    expect(await versions()).toEqual(['b@1.0.0']);
    await expect(catalog.model('a')).rejects.toThrow(ManifestInvalidError);
    await expect(catalog.model('a')).rejects.toThrow('a@1.0.0');
    expect(catalog.problems().get('a')).toBeInstanceOf(ManifestInvalidError);
  });

  it('recovers from a bad version when a good one is activated', async () => {
    const { active, store, time, versions, afterRefresh } = setUp();
    store.put('a', '1.0.0', 'not json');
    await versions();
    store.put('a', '1.0.1');
    active.versions.set('a', { version: '1.0.1', seq: 2 });
    time.now += TTL_MS;

    await afterRefresh();

    expect(await versions()).toEqual(['a@1.0.1', 'b@1.0.0']);
  });

  it('refuses a manifest that belongs elsewhere', async () => {
    const { store, catalog } = setUp();
    store.put('a', '1.0.0', JSON.stringify(manifestOf({ x: Buffer.from('x') }, '1.0.0', 'b')));

    await expect(catalog.model('a')).rejects.toThrow('says it is b@1.0.0');
  });

  it('knows no model that is not served or not active', async () => {
    const { active, catalog } = setUp();
    active.versions.delete('b');

    await expect(catalog.model('other')).rejects.toThrow(UnknownModelError);
    await expect(catalog.model('b')).rejects.toThrow(UnknownModelError);
    await expect(catalog.model('Dear landlord, I')).rejects.toThrow(/^there is no model of that name$/);
    expect((await catalog.models()).map(({ id }) => id)).toEqual(['a']);
  });

  it('says that the store is away, not that there are no models, when it knows nothing', async () => {
    const { active, catalog, versions } = setUp();
    active.failure = away;

    await expect(catalog.models()).rejects.toThrow(StoreUnavailableError);
    await expect(catalog.model('a')).rejects.toThrow(StoreUnavailableError);

    active.failure = undefined;
    expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0']);
  });

  it('gives up on a store that does not answer, even one that does not listen', async () => {
    const { active, catalog } = setUp();
    active.isSilent = true;

    await expect(catalog.models()).rejects.toThrow('did not answer within 20 ms');
  });

  describe('with pins', () => {
    it('always serves a hard pin, and needs no store for it', async () => {
      const { active, store, versions } = setUp({ models: ['a'], pins: pinned('0.9.0', true) });
      store.put('a', '0.9.0');

      expect(await versions()).toEqual(['a@0.9.0']);
      expect(active.reads).toEqual([]);
    });

    it('serves a soft pin only as long as nothing better is known', async () => {
      const { active, store, time, versions, afterRefresh } = setUp({ models: ['a'], pins: pinned('0.9.0') });
      store.put('a', '0.9.0');
      active.isSilent = true;
      expect(await versions()).toEqual(['a@0.9.0']);

      active.isSilent = false;
      time.now += TTL_MS * 2;
      await afterRefresh();
      expect(await versions()).toEqual(['a@1.0.0']);

      active.failure = away;
      time.now += TTL_MS * 2;
      await afterRefresh();
      expect(await versions()).toEqual(['a@1.0.0']);
    });

    it('serves what is pinned and reports what is not', async () => {
      const { active, catalog, versions } = setUp({ pins: pinned('1.0.0') });
      active.failure = away;

      expect(await versions()).toEqual(['a@1.0.0']);
      await expect(catalog.model('b')).rejects.toThrow(StoreUnavailableError);
    });
  });

  describe('without a list of models', () => {
    it('serves whatever lies in the repository, and lists it seldom', async () => {
      const { store, active, time, versions, afterRefresh } = setUp({ models: [] });
      expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0']);
      store.put('c', '1.0.0');
      active.versions.set('c', { version: '1.0.0', seq: 1 });
      time.now += TTL_MS * 2;
      await afterRefresh();
      expect(store.lists).toBe(1);

      time.now += 60_000;
      await afterRefresh();

      expect(await versions()).toEqual(['a@1.0.0', 'b@1.0.0', 'c@1.0.0']);
      expect(store.lists).toBe(2);
    });

    it('says that the store is away when it cannot list', async () => {
      const { store, catalog } = setUp({ models: [] });
      store.failure = away;

      await expect(catalog.models()).rejects.toThrow(StoreUnavailableError);
      await expect(catalog.model('a')).rejects.toThrow(StoreUnavailableError);
    });
  });
});
