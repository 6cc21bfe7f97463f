import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lease } from '../../shared/host/model-host.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { createScriptedHost } from '../support/scripted-host.ts';
import { type ScriptedWorker, scriptedManifest } from '../support/scripted-loader.ts';

/** Two models; two versions of the first. */
const manifests = [scriptedManifest('a'), scriptedManifest('a', '2.0.0'), scriptedManifest('b')] as const;

/** What can happen, in any order; `pick` chooses among what is there at that moment, `turns` is how far promises get after it. */
type Event = {
  readonly kind:
    | 'lease'
    | 'wait until ready'
    | 'release'
    | 'give up waiting'
    | 'unload'
    | 'load succeeds'
    | 'load fails for now'
    | 'load fails for good'
    | 'worker crashes'
    | 'worker has ended'
    | 'time passes';
  readonly pick: number;
  readonly turns: number;
};

const anyEvent: fc.Arbitrary<Event> = fc.record({
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant<Event['kind']>('lease') },
    { weight: 5, arbitrary: fc.constant<Event['kind']>('load succeeds') },
    { weight: 3, arbitrary: fc.constant<Event['kind']>('release') },
    {
      weight: 8,
      arbitrary: fc.constantFrom<Event['kind'][]>(
        'wait until ready',
        'give up waiting',
        'unload',
        'load fails for now',
        'load fails for good',
        'worker crashes',
        'worker has ended',
        'time passes',
      ),
    },
  ),
  pick: fc.nat(20),
  turns: fc.nat(6),
});

class World {
  readonly wrong: string[] = [];
  readonly #held: { readonly lease: Lease; readonly worker: ScriptedWorker; released: boolean }[] = [];
  readonly #waiting = new Set<AbortController>();
  readonly #endings: (() => void)[] = [];
  readonly #unloads: Promise<void>[] = [];
  readonly #scripted: ReturnType<typeof createScriptedHost>;
  #asked = 0;
  #answered = 0;
  #isEnding = false;

  constructor(obeysAbort: boolean) {
    const options = { obeysAbort, onEnd: (worker: ScriptedWorker) => this.#workerEnds(worker) };
    this.#scripted = createScriptedHost({ strategy: 'lazy' }, options);
  }

  happens({ kind, pick }: Event): void {
    const { host, loader } = this.#scripted;
    const one = <Item>(items: readonly Item[]): Item | undefined => items[pick % items.length];
    const manifest = one(manifests) ?? manifests[0];
    const load = one(loader.loads.filter(({ settled }) => !settled));
    switch (kind) {
      case 'lease':
      case 'wait until ready':
        this.#ask(manifest, kind === 'lease');
        break;
      case 'release': {
        const held = one(this.#held.filter(({ released }) => !released));
        if (held !== undefined) this.#release(held);
        break;
      }
      case 'give up waiting':
        one([...this.#waiting])?.abort(new Error('gave up'));
        break;
      case 'unload': {
        const key = modelKey(manifest);
        const there = loader.workers.filter((worker) => worker.key === key);
        const unloaded = host.unload(key).then(() => {
          if (there.some(({ endings }) => endings === 0))
            this.wrong.push(`${key} is unloaded and not all of it has ended`);
        });
        this.#unloads.push(unloaded);
        break;
      }
      case 'load succeeds':
        load?.succeed();
        break;
      case 'load fails for now':
        load?.fail(new StoreUnavailableError('not now'));
        break;
      case 'load fails for good':
        load?.fail(new FileCorruptError('never'));
        break;
      case 'worker crashes': {
        const worker = one(loader.workers.filter(({ crashed }) => !crashed));
        if (worker === undefined) break;
        worker.crashed = true;
        worker.load.observer.onCrash(new WorkerCrashedError('it crashed'));
        break;
      }
      case 'worker has ended':
        one(this.#endings)?.();
        break;
      case 'time passes':
        this.#scripted.pass(1_000 * (pick + 1));
        break;
    }
  }

  check(): void {
    const { loader } = this.#scripted;
    const loading = loader.loads.filter(({ settled, signal }) => !settled && !signal.aborted);
    if (loading.length > 1) this.wrong.push(`${loading.length} loads at once`);
  }

  /** Lets go of everything, closes, and says whether everybody was answered and no worker is left. */
  async end(): Promise<void> {
    const { host, loader, pass } = this.#scripted;
    this.#isEnding = true;
    for (const controller of this.#waiting) controller.abort(new Error('gave up'));
    for (const held of this.#held) this.#release(held);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(host.status().filter(({ leases }) => leases > 0)).toEqual([]);
    const closing = host.close();
    for (let round = 0; round < 10; round++) {
      for (const load of loader.loads) if (!load.settled) load.succeed();
      for (const done of this.#endings) done();
      await new Promise<void>((resolve) => setImmediate(resolve));
      pass(1_000);
    }
    await closing;
    await Promise.all(this.#unloads);
    expect(this.wrong).toEqual([]);
    expect(this.#answered).toBe(this.#asked);
    expect(loader.workers.map((worker) => worker.endings)).toEqual(loader.workers.map(() => 1));
    expect(host.status().every(({ state, leases }) => state === 'UNLOADED' && leases === 0)).toBe(true);
    expect(host.report()).toMatchObject({ memory: { reservedMb: 0 }, queue: { size: 0, loading: [] } });
  }

  #ask(manifest: (typeof manifests)[number], isLease: boolean): void {
    const { host } = this.#scripted;
    const controller = new AbortController();
    const { signal } = controller;
    this.#waiting.add(controller);
    this.#asked++;
    const answered = () => {
      this.#answered++;
      this.#waiting.delete(controller);
    };
    const asked = isLease ? host.lease(manifest, { signal }) : host.ensureReady(manifest, { signal });
    asked.then((lease) => {
      answered();
      if (lease !== undefined) this.#took(lease, manifest.id);
    }, answered);
  }

  #took(lease: Lease, id: string): void {
    const { ran } = this.#scripted.loader;
    const before = ran.length;
    lease.run({ task: 'language-detection', texts: [] }).catch(() => undefined);
    const worker = ran[before];
    if (worker === undefined) throw new Error('the lease reached no worker');
    if (worker.endings > 0 && !worker.crashed) this.wrong.push('a lease on a worker that was ended');
    if (lease.manifest.id !== id) this.wrong.push('a lease on another model');
    const held = { lease, worker, released: false };
    this.#held.push(held);
    if (this.#isEnding) this.#release(held);
  }

  #release(held: { readonly lease: Lease; released: boolean }): void {
    held.released = true;
    held.lease.release();
  }

  #workerEnds(worker: ScriptedWorker): Promise<void> {
    const held = this.#held.filter((lease) => lease.worker === worker && !lease.released).length;
    if (held > 0 && !worker.crashed && !this.#drainIsOver())
      this.wrong.push(`a worker was ended with ${held} leases out`);
    return new Promise((done) => this.#endings.push(done));
  }

  /** Whether some model drains for as long as it may: its leases are not waited for. */
  #drainIsOver(): boolean {
    return this.#scripted.host.status().some(({ state, leases }) => state === 'DRAINING' && leases > 0);
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
  test('answers everybody, holds nothing for those who have gone, and leaves no worker behind', async () => {
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
      { numRuns: 500 },
    );
  });
});
