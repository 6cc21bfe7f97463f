import type { ModelLoadingSettings } from '../../shared/config/model-loading.ts';
import type { LoadPriority } from '../../shared/host/model-host.ts';
import type { Load, Stay } from '../../shared/host/slot.ts';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';
import type { HostEvent } from './host-events.ts';
import { type Caller, WatchedStage } from './watched-stage.ts';

const model = (id: string, version: string, peakMb: number, residentMb: number) =>
  scriptedManifest(id, version, { peakMb, residentMb });

/** Three models, two versions of each. What a stage has for them, 800 MB, is enough for two, and never for the last. */
const manifests = [
  model('a', '1', 300, 200),
  model('b', '1', 400, 250),
  model('c', '1', 500, 400),
  model('a', '2', 350, 250),
  model('b', '2', 600, 500),
  model('c', '2', 900, 700),
] as const;

const priorities: readonly LoadPriority[] = ['interactive', 'interactive', 'batch', 'background'];
const keepAlives = [undefined, undefined, undefined, 0, 3_000, -1];
/** Ms that pass at once: from a tick to an idle time. */
const spans = [1, 250, 1_000, 2_000, 5_000, 10_000, 60_000, 600_000];

export interface HistoryOptions {
  readonly settings: ModelLoadingSettings;
  readonly events: readonly HostEvent[];
  /** One bit per load, over and over: it never comes to its end once it has been told to. */
  readonly stubborn: number;
  /** Whether leases end when the history does, or never. */
  readonly releases: boolean;
}

/** Plays one history on the real scheduler, and says what was wrong with it. */
export function play(options: HistoryOptions, transitionsSeen: Set<string>): readonly string[] {
  return new History(options, transitionsSeen).play();
}

class History {
  readonly #options: HistoryOptions;
  readonly #stage: WatchedStage;
  readonly #numbers = new Map<Stay, number>();

  constructor(options: HistoryOptions, transitionsSeen: Set<string>) {
    this.#options = options;
    this.#stage = new WatchedStage(options.settings, transitionsSeen);
  }

  play(): readonly string[] {
    const stage = this.#stage;
    for (const event of this.#options.events) {
      stage.chance = event.amount / 1_001;
      this.#happens(event);
      stage.check();
      if (stage.wrong.length > 0) return stage.wrong;
    }
    this.#everybodyIsAnswered();
    this.#nothingIsLeft();
    return stage.wrong;
  }

  #happens({ kind, pick, amount }: HostEvent): void {
    const stage = this.#stage;
    const { scheduler } = stage;
    const one = <Item>(items: readonly Item[]): Item | undefined => items[pick % items.length];
    const manifest = manifests[pick % manifests.length] ?? manifests[0];
    const load = one(this.#willing(stage.loads));
    switch (kind) {
      case 'somebody asks':
        stage.call(manifest, {
          priority: priorities[amount % priorities.length] ?? 'interactive',
          wantsLease: amount % 7 > 0,
          keepAliveMs: keepAlives[amount % keepAlives.length],
        });
        break;
      case 'somebody takes what is READY':
        stage.take(manifest);
        break;
      case 'somebody stops waiting': {
        const caller = one(stage.waiting());
        if (caller !== undefined) stage.leave(caller);
        break;
      }
      case 'a lease ends': {
        const held = one(stage.held);
        if (held !== undefined) stage.giveBack(held);
        break;
      }
      case 'bytes arrive':
        if (load !== undefined) scheduler.progressed(load, Math.min(100, load.bytesLoaded + amount / 20));
        break;
      case 'a load enters its next phase':
        if (load !== undefined) stage.step(load);
        break;
      case 'a load comes to its end':
        // Sometimes above its peak.
        if (load !== undefined) stage.bring(load, (load.slot.manifest.memory.peakMb * (amount + 200)) / 1_000);
        break;
      case 'a load fails for now':
        if (load !== undefined) stage.give(load, new StoreUnavailableError('not now'));
        break;
      case 'a load fails for good':
        if (load !== undefined) stage.give(load, new FileCorruptError('never'));
        break;
      case 'a worker crashes': {
        const stay = one([...stage.alive].filter((each) => !stage.crashed.has(each)));
        if (stay !== undefined) stage.crash(stay, new WorkerCrashedError('it crashed'));
        break;
      }
      case 'a worker has ended': {
        const stay = one(stage.ending.filter((each) => !this.#isStubborn(each)));
        if (stay !== undefined) stage.end(stay);
        break;
      }
      case 'time passes':
        stage.clock.pass(spans[amount % spans.length] ?? 1);
        if (pick % 4 > 0) scheduler.tick();
        break;
      case 'the instance is frozen':
        stage.clock.freeze(amount * 1_000);
        break;
      case 'the clock is looked at':
        scheduler.tick();
        break;
      case 'a model is unloaded':
        scheduler.unload(modelKey(manifest));
        break;
      case 'the process grows or shrinks':
        stage.memory.baseMb = amount;
        break;
      case 'memory becomes unreadable or readable':
        stage.memory.isReadable = !stage.memory.isReadable;
        break;
      case 'a model is loaded at start':
        stage.preload(manifest);
        break;
      case 'a permit is granted': {
        const sought = one(stage.permits.sought);
        if (sought !== undefined) stage.permits.grant(sought, amount % 5 > 0 ? 'permit' : 'store away');
        break;
      }
      case 'a permit is lost': {
        const held = one(stage.permits.held);
        if (held !== undefined) stage.permits.lose(held);
        break;
      }
      case 'the host closes':
        stage.close();
        break;
    }
  }

  /** From now on permits are granted, loads come to their end and time passes: whoever waits must be answered. */
  #everybodyIsAnswered(): void {
    const stage = this.#stage;
    const left = (): readonly Caller[] => stage.waiting();
    for (let second = 0; second < 600 && left().length > 0 && stage.wrong.length === 0; second++) {
      if (this.#options.releases) for (const held of [...stage.held]) stage.giveBack(held);
      this.#answer();
      stage.clock.pass(1_000);
      stage.scheduler.tick();
      stage.check();
    }
    if (left().length > 0) stage.wrong.push(`${left().length} callers wait for ever`);
  }

  /** After the end nothing is left but what never ends, and when that ends, nothing. */
  #nothingIsLeft(): void {
    const stage = this.#stage;
    stage.close();
    for (let second = 0; second < 50 && stage.wrong.length === 0; second++) {
      this.#answer();
      stage.clock.pass(1_000);
      stage.scheduler.tick();
      stage.check();
    }
    const states = new Set(stage.scheduler.status().map(({ state }) => state));
    states.delete('UNLOADED');
    if (states.size > 0) stage.wrong.push(`closed, and still ${[...states].join()}`);
    if ([...stage.alive].some((stay) => !stay.isLost)) stage.wrong.push('closed, and a worker is awaited');
    this.#answer(true);
    if (stage.ledger.reservedMb > 0) stage.wrong.push('all is gone, and memory is reserved');
    for (const held of [...stage.held]) stage.giveBack(held);
    stage.check();
  }

  /** Permits are granted, loads come to their end, workers end. */
  #answer(stubbornToo = false): void {
    const stage = this.#stage;
    for (const model of stage.permits.sought) if (stage.permits.sought.includes(model)) stage.permits.grant(model);
    for (const load of stubbornToo ? [...stage.loads] : this.#willing(stage.loads)) {
      if (stage.stopped.has(load)) stage.give(load, stage.stopped.get(load));
      else stage.bring(load, load.slot.manifest.memory.residentMb);
    }
    for (const stay of [...stage.ending]) if (stubbornToo || !this.#isStubborn(stay)) stage.end(stay);
  }

  #willing(loads: readonly Load[]): Load[] {
    return loads.filter((load) => !this.#stage.stopped.has(load) || !this.#isStubborn(load.stay));
  }

  #isStubborn(stay: Stay): boolean {
    let number = this.#numbers.get(stay);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(stay, number);
    }
    return ((this.#options.stubborn >> (number % 8)) & 1) === 1;
  }
}
