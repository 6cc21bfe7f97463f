import type { ModelLoadingSettings } from '../../shared/config/model-loading.ts';
import type { CasaLinguaError } from '../../shared/errors.ts';
import type { Effects } from '../../shared/host/effects.ts';
import { MemoryLedger } from '../../shared/host/memory-ledger.ts';
import type { LoadPriority, ModelStatus } from '../../shared/host/model-host.ts';
import type { ModelState } from '../../shared/host/model-state.ts';
import { Scheduler } from '../../shared/host/scheduler.ts';
import type { Hold, Load, Slot, Stay, Waiter } from '../../shared/host/slot.ts';
import { type Manifest, modelKey } from '../../shared/repository/manifest.ts';
import { HandClock } from './hand-clock.ts';
import { HandMemory } from './hand-memory.ts';
import type { HandPermits } from './hand-permits.ts';
import { hostSettings } from './host-settings.ts';
import { unusedWorker } from './unused-worker.ts';

const MIB = 1024 * 1024;

/** Somebody who asked for a model, and what came of it. */
export interface Asked {
  readonly waiter: Waiter;
  /** Every answer, in order: there must never be two. */
  readonly answers: readonly (Hold | CasaLinguaError)[];
  /** The hold that was granted; throws if none was. */
  readonly hold: Hold;
  /** `id@version` that serves it, the error's code, or `waits`. */
  readonly outcome: string;
  readonly error: CasaLinguaError | undefined;
}

/** The real scheduler and ledger; what they have others do is written down and done when the test says so. */
export class SchedulerStage implements Effects {
  readonly clock = new HandClock();
  readonly memory: HandMemory;
  readonly scheduler: Scheduler;
  readonly ledger: MemoryLedger;
  /** What the next draw of chance gives. */
  chance = 0.5;
  /** Loads that the loader is at work on, those that were told to stop included. */
  readonly loads: Load[] = [];
  readonly stopped = new Map<Load, CasaLinguaError>();
  /** Workers that were told to end and have not. */
  readonly ending: Stay[] = [];
  /** `key: FROM > TO`, in order. */
  readonly changes: string[] = [];
  readonly reasons: (string | undefined)[] = [];
  /** `crashed key`, `lost key` or `unpermitted key`. */
  readonly notices: string[] = [];
  /** How many loads began, ever. */
  begun = 0;

  /** @param permits left out: loads need none */
  constructor(
    settings: ModelLoadingSettings = hostSettings(),
    memory: HandMemory = new HandMemory(),
    permits?: HandPermits,
  ) {
    this.memory = memory;
    this.ledger = new MemoryLedger(settings.memoryProtection, memory);
    this.scheduler = new Scheduler({
      settings,
      ledger: this.ledger,
      clock: this.clock,
      random: () => this.chance,
      effects: this,
      permits,
    });
  }

  startLoad(load: Load): void {
    this.begun++;
    this.loads.push(load);
  }

  stopLoad(load: Load, reason: CasaLinguaError): void {
    this.stopped.set(load, reason);
  }

  endWorker(stay: Stay): void {
    this.ending.push(stay);
  }

  changed(slot: Slot, from: ModelState, reason: string | undefined): void {
    this.changes.push(`${slot.key}: ${from} > ${slot.state.kind}`);
    this.reasons.push(reason);
  }

  noticed(event: 'crashed' | 'lost' | 'unpermitted', slot: Slot): void {
    this.notices.push(`${event} ${slot.key}`);
  }

  // What callers do.

  ask(manifest: Manifest, wish: Partial<Pick<Waiter, 'priority' | 'wantsLease' | 'keepAliveMs'>> = {}): Asked {
    const { priority = 'interactive', wantsLease = true, keepAliveMs } = wish;
    const answers: (Hold | CasaLinguaError)[] = [];
    const waiter: Waiter = {
      priority,
      wantsLease,
      keepAliveMs,
      granted: (hold) => answers.push(hold),
      refused: (error) => answers.push(error),
    };
    this.scheduler.request(manifest, waiter);
    return {
      waiter,
      answers,
      get hold() {
        const [answer] = answers;
        if (answer === undefined || !('ready' in answer)) throw new Error('no lease was granted');
        return answer;
      },
      get outcome() {
        const [answer] = answers;
        if (answer === undefined) return 'waits';
        return 'ready' in answer ? answer.slot.key : answer.code;
      },
      get error() {
        const [answer] = answers;
        return answer === undefined || 'ready' in answer ? undefined : answer;
      },
    };
  }

  /** Asks for each with this priority, in this order. */
  askAll(manifests: readonly Manifest[], priority: LoadPriority = 'interactive'): Asked[] {
    return manifests.map((manifest) => this.ask(manifest, { priority }));
  }

  release({ hold }: Asked): void {
    this.scheduler.release(hold);
  }

  /** A model that is READY, with nobody's lease on it. */
  serve(manifest: Manifest): void {
    const asked = this.ask(manifest);
    this.comes(manifest);
    this.release(asked);
  }

  // What the loader and the workers do.

  /** The load that the loader is at work on; the oldest that was not told to stop. */
  loadOf(manifest: Manifest): Load {
    const load = this.#findLoad(manifest, false);
    if (load === undefined) throw new Error(`${modelKey(manifest)} is not loading`);
    return load;
  }

  /** The load comes to its end with a heap of so many MB; the process grows by as many. */
  comes(manifest: Manifest, heapMb = manifest.memory.residentMb): void {
    const load = this.loadOf(manifest);
    if (load.slot.state.kind === 'DOWNLOADING') this.scheduler.entered(load, 'INITIALIZING');
    if (load.slot.state.kind === 'INITIALIZING') this.scheduler.entered(load, 'WARMING');
    this.memory.held.set(load.stay, heapMb);
    this.#through(load, heapMb);
  }

  fails(manifest: Manifest, error: Error): void {
    const load = this.loadOf(manifest);
    this.#drop(load);
    this.scheduler.loadEnded(load, error);
  }

  /** A load that was told to stop does so. */
  obeys(manifest: Manifest): void {
    const load = this.#stoppedLoad(manifest);
    this.#drop(load);
    this.memory.held.delete(load.stay);
    this.scheduler.loadEnded(load, this.stopped.get(load));
  }

  /** A load that was told to stop was through before. */
  comesTooLate(manifest: Manifest): void {
    this.#through(this.#stoppedLoad(manifest), manifest.memory.residentMb);
  }

  /** The worker of a READY model, or of one that loads, dies. */
  crashes(stay: Stay, error: CasaLinguaError): void {
    this.memory.held.delete(stay);
    this.scheduler.crashed(stay, error);
  }

  /** The oldest of the workers of this version that were told to end does so. */
  ends(manifest: Manifest): void {
    const key = modelKey(manifest);
    const stay = this.ending.find(({ slot }) => slot.key === key);
    if (stay === undefined) throw new Error(`no worker of ${key} was told to end`);
    this.ending.splice(this.ending.indexOf(stay), 1);
    this.memory.held.delete(stay);
    this.scheduler.workerEnded(stay);
  }

  // Time.

  /** Time passes, awake; the clock is looked at once, at its end. */
  pass(ms: number): void {
    this.clock.pass(ms);
    this.scheduler.tick();
  }

  freeze(ms: number): void {
    this.clock.freeze(ms);
    this.scheduler.tick();
  }

  // What can be seen.

  /** `id@version` of the loads that were not told to stop. */
  get loading(): string[] {
    return this.loads.filter((load) => !this.stopped.has(load)).map(({ slot }) => slot.key);
  }

  status(manifest: Manifest): ModelStatus {
    const found = this.scheduler.status().find((model) => modelKey(model) === modelKey(manifest));
    if (found === undefined) throw new Error(`${modelKey(manifest)} is unknown`);
    return found;
  }

  state(manifest: Manifest): ModelState | undefined {
    return this.scheduler.status().find((model) => modelKey(model) === modelKey(manifest))?.state;
  }

  #findLoad(manifest: Manifest, isStopped: boolean): Load | undefined {
    return this.loads.find((load) => load.slot.key === modelKey(manifest) && this.stopped.has(load) === isStopped);
  }

  #stoppedLoad(manifest: Manifest): Load {
    const load = this.#findLoad(manifest, true);
    if (load === undefined) throw new Error(`no load of ${modelKey(manifest)} was told to stop`);
    return load;
  }

  #through(load: Load, heapMb: number): void {
    this.#drop(load);
    this.scheduler.loaded(load, unusedWorker(heapMb * MIB));
  }

  #drop(load: Load): void {
    this.loads.splice(this.loads.indexOf(load), 1);
  }
}
