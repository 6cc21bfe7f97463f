import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LazyModelHost } from '../../shared/host/lazy-model-host.ts';
import type { Lease } from '../../shared/host/model-host.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { ScriptedLoader, type ScriptedWorker, scriptedManifest } from '../support/scripted-loader.ts';

/** Two models; two versions of the first. */
const manifests = [scriptedManifest('a'), scriptedManifest('a', '2.0.0'), scriptedManifest('b')];

/** What can happen, in any order; `pick` chooses among what is there at that moment, `turns` is how far promises get after it. */
type Event = {
  readonly kind:
    | 'lease'
    | 'release'
    | 'give up waiting'
    | 'unload'
    | 'load succeeds'
    | 'load fails for now'
    | 'load fails for good'
    | 'worker crashes'
    | 'worker has ended';
  readonly pick: number;
  readonly turns: number;
};

const anyEvent: fc.Arbitrary<Event> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Event['kind']>('lease') },
    { weight: 4, arbitrary: fc.constant<Event['kind']>('load succeeds') },
    { weight: 3, arbitrary: fc.constant<Event['kind']>('release') },
    {
      weight: 6,
      arbitrary: fc.constantFrom<Event['kind'][]>(
        'give up waiting',
        'unload',
        'load fails for now',
        'load fails for good',
        'worker crashes',
        'worker has ended',
      ),
    },
  ),
  pick: fc.nat(20),
  turns: fc.nat(6),
});

class World {
  readonly leases: { lease: Lease; worker: number; released: boolean }[] = [];
  readonly waiting = new Set<AbortController>();
  readonly endings: { worker: ScriptedWorker; done: () => void }[] = [];
  readonly wrong: string[] = [];
  readonly loader: ScriptedLoader;
  readonly host: LazyModelHost;
  readonly finallyFailed = new Set<string>();
  #asked = 0;
  #answered = 0;
  #unloads: Promise<void>[] = [];
  #ending = false;

  constructor(obeysAbort: boolean) {
    this.loader = new ScriptedLoader({ obeysAbort, onEnd: (worker) => this.#workerEnds(worker) });
    const silent = () => undefined;
    const log = { info: silent, warn: silent, error: silent };
    this.host = new LazyModelHost({ loader: this.loader, clock: { now: () => 0 }, log });
  }

  happens({ kind, pick }: Event): void {
    const one = <Item>(items: readonly Item[]): Item | undefined => items[pick % items.length];
    const loads = this.loader.loads.filter((load) => !load.settled);
    switch (kind) {
      case 'lease':
        this.#lease(pick);
        break;
      case 'release': {
        const held = one(this.leases);
        if (held !== undefined) held.released = true;
        held?.lease.release();
        break;
      }
      case 'give up waiting':
        one([...this.waiting])?.abort(new Error('gave up'));
        break;
      case 'unload':
        this.#unload(modelKey(manifests[pick % manifests.length] as (typeof manifests)[number]));
        break;
      case 'load succeeds':
        one(loads)?.succeed();
        break;
      case 'load fails for now':
        one(loads)?.fail(new StoreUnavailableError('not now'));
        break;
      case 'load fails for good': {
        const load = one(loads);
        if (load !== undefined && !load.signal.aborted) this.finallyFailed.add(load.key);
        load?.fail(new FileCorruptError('never'));
        break;
      }
      case 'worker crashes': {
        const worker = one(this.loader.workers);
        if (worker === undefined || worker.crashed) break;
        worker.crashed = true;
        worker.load.observer.onCrash(new WorkerCrashedError('it crashed'));
        break;
      }
      case 'worker has ended':
        one(this.endings)?.done();
        break;
    }
    this.check();
  }

  check(): void {
    for (const manifest of manifests) {
      if (this.loader.inFlight(modelKey(manifest)) > 1) this.wrong.push(`two loads of ${modelKey(manifest)} at once`);
    }
  }

  /** Lets go of everything, closes, and says whether everybody was answered and no worker is left. */
  async end(): Promise<void> {
    this.#ending = true;
    const closing = this.host.close();
    for (const held of this.leases) held.lease.release();
    for (let round = 0; round < 10; round++) {
      for (const load of this.loader.loads) if (!load.settled) load.succeed();
      for (const { done } of this.endings) done();
      for (const held of this.leases) held.lease.release();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await closing;
    await Promise.all(this.#unloads);
    expect(this.wrong).toEqual([]);
    expect(this.#answered).toBe(this.#asked);
    expect(this.loader.workers.map((worker) => worker.endings)).toEqual(this.loader.workers.map(() => 1));
    expect(this.host.status().every(({ state }) => state === 'UNLOADED' || state === 'FAILED')).toBe(true);
  }

  #lease(pick: number): void {
    const manifest = manifests[pick % manifests.length] as (typeof manifests)[number];
    const controller = new AbortController();
    this.waiting.add(controller);
    this.#asked++;
    const loadsBefore = this.loader.loads.length;
    const key = modelKey(manifest);
    const isFinal =
      this.finallyFailed.has(key) &&
      this.host.status().some((s) => modelKey(s) === key && s.error?.retryable === false);
    const answered = () => {
      this.#answered++;
      this.waiting.delete(controller);
    };
    this.host.lease(manifest, { signal: controller.signal }).then((lease) => {
      answered();
      this.#took(lease, manifest.id);
    }, answered);
    void Promise.resolve().then(() => {
      const begun = this.loader.loads.slice(loadsBefore).some((load) => load.key === key);
      if (isFinal && begun) this.wrong.push(`${key} failed for good and is loaded again`);
    });
  }

  #took(lease: Lease, id: string): void {
    const ran = this.loader.ran.length;
    lease.run({ task: 'language-detection', texts: [] }).catch(() => undefined);
    const worker = this.loader.ran[ran];
    if (worker === undefined) throw new Error('the lease reached no worker');
    if (worker.endings > 0 && !worker.crashed) this.wrong.push('a lease on a worker that was ended');
    if (lease.manifest.id !== id) this.wrong.push('a lease on another model');
    const held = { lease, worker: worker.number, released: this.#ending };
    this.leases.push(held);
    if (this.#ending) lease.release();
  }

  #unload(key: string): void {
    this.finallyFailed.delete(key);
    const there = this.loader.workers.filter((worker) => worker.key === key);
    this.#unloads.push(
      this.host.unload(key).then(() => {
        if (there.some((worker) => worker.endings === 0))
          this.wrong.push(`${key} is unloaded and a worker of it is left`);
      }),
    );
  }

  #workerEnds(worker: ScriptedWorker): Promise<void> {
    const held = this.leases.filter((lease) => lease.worker === worker.number && !lease.released).length;
    if (held > 0 && !worker.crashed && !this.#ending) this.wrong.push(`a worker was ended with ${held} leases out`);
    return new Promise((done) => this.endings.push({ worker, done }));
  }
}

/** So many turns of the microtask queue: less than it takes for everything to settle. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

describe.each([
  ['obeys when it is given up', true],
  ['is through before it can be given up', false],
])('a host whose loader %s', (_, obeysAbort) => {
  test('loads a version once at a time, ends no leased worker, answers everybody, and leaves no worker behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { maxLength: 40 }), async (events) => {
        const world = new World(obeysAbort);
        for (const event of events) {
          world.happens(event);
          await turns(event.turns);
          world.check();
        }
        await world.end();
      }),
      { numRuns: 1000 },
    );
  });
});
