import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalFunctionOptions } from './function-options.ts';
import { Instance, type InvocationResult } from './instance.ts';
import { Pool, type PoolEffect, type PoolEvent } from './pool.ts';
import type { Reaper } from './reaper.ts';

/** Lambda's own limits; smaller in tests. */
export interface LambdaLimits {
  readonly initMs: number;
  readonly provisionedInitMs: number;
  readonly idleMs: number;
  readonly maxPayloadBytes: number;
}

export type Outcome = InvocationResult | { readonly type: 'throttled' | 'too large' };

/** What happens to instances, for whoever watches. */
export interface InstanceNote {
  readonly function: string;
  readonly instance: string;
  readonly type:
    | 'cold start'
    | 'init tried again'
    | 'provisioning'
    | 'provisioned'
    | 'provisioning failed'
    | 'timed out'
    | 'ended'
    | 'output';
  /** Of `output`: one line that the function wrote. */
  readonly line?: string;
}

export interface Surroundings {
  readonly runtime: string;
  readonly folder: string;
  readonly reaper: Reaper;
  readonly limits: LambdaLimits;
  readonly note: (note: InstanceNote) => void;
}

interface Pending {
  readonly payload: string;
  readonly settle: (outcome: Outcome) => void;
}

/** An instance with its clocks: wall time until which it may work, and the timer that is running for it. */
interface Running {
  readonly instance: Instance;
  /** Initialising before any request. */
  provisioning: boolean;
  deadline: number | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** One function and its instances: carries out what the pool decides. */
export class LocalFunction {
  readonly #options: LocalFunctionOptions;
  readonly #around: Surroundings;
  readonly #pool: Pool;
  readonly #running = new Map<string, Running>();
  readonly #pending = new Map<string, Pending>();
  #whenEmpty: (() => void) | undefined;
  #whenProvisioned: (() => void) | undefined;

  constructor(options: LocalFunctionOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
    this.#pool = new Pool(options.name, options.maxInstances, options.provisioned);
  }

  /** Starts the provisioned instances and resolves when each has initialised or failed to; a note tells which. */
  async open(): Promise<void> {
    const provisioned = new Promise<void>((resolve) => {
      this.#whenProvisioned = resolve;
    });
    this.#handle({ type: 'opened' });
    if (this.#isProvisioning()) await provisioned;
  }

  /** Runs the function once on an event. Never rejects. */
  invoke(event: object): Promise<Outcome> {
    const payload = JSON.stringify(event);
    if (Buffer.byteLength(payload) > this.#around.limits.maxPayloadBytes) return Promise.resolve({ type: 'too large' });
    return new Promise((resolve) => {
      const request = randomUUID();
      this.#pending.set(request, { payload, settle: resolve });
      this.#handle({ type: 'requested', request });
    });
  }

  /** What runs now. */
  instances(): { readonly id: string; readonly pid: number | undefined; readonly state: string }[] {
    return Array.from(this.#pool.states(), ([id, state]) => ({ id, pid: this.#running.get(id)?.instance.pid, state }));
  }

  /** Ends every instance and resolves when they are gone. */
  async close(): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    this.#handle({ type: 'closed' });
    if (this.#running.size > 0) await empty;
  }

  #handle(event: PoolEvent): void {
    for (const effect of this.#pool.handle(event)) this.#carryOut(effect);
  }

  #carryOut(effect: PoolEffect): void {
    switch (effect.type) {
      case 'start':
        this.#start(effect.instance, effect.inRequest ? 'init tried again' : 'cold start');
        break;
      case 'provision':
        this.#start(effect.instance, 'provisioning');
        break;
      case 'invoke':
        this.#invoke(effect.instance, effect.request);
        break;
      case 'freeze':
        this.#freeze(effect.instance);
        break;
      case 'end':
        this.#running.get(effect.instance)?.instance.end();
        break;
      case 'fail':
        this.#settle(effect.request, { type: 'error' });
        break;
      case 'throttle':
        this.#settle(effect.request, { type: 'throttled' });
        break;
    }
  }

  #start(id: string, how: 'cold start' | 'init tried again' | 'provisioning'): void {
    const { runtime, reaper, limits, note } = this.#around;
    const folder = join(this.#around.folder, id);
    const about = { function: this.#options.name, instance: id };
    const provisioning = how === 'provisioning';
    note({ ...about, type: how });
    const instance = new Instance(
      {
        id,
        folder,
        runtime,
        reaper,
        function: this.#options,
        initialization: provisioning ? 'provisioned-concurrency' : 'on-demand',
        maxResponseBytes: limits.maxPayloadBytes,
      },
      {
        asked: () => this.#handle({ type: 'asked', instance: id }),
        answered: (request, result) => {
          this.#settle(request, result);
          this.#handle({ type: 'answered', instance: id });
        },
        ended: () => this.#forget(id, folder),
        line: (line) => note({ ...about, type: 'output', line }),
      },
    );
    const running: Running = { instance, provisioning, deadline: undefined, timer: undefined };
    this.#running.set(id, running);
    switch (how) {
      case 'cold start':
        this.#endAfter(running, limits.initMs);
        break;
      case 'provisioning':
        this.#endAfter(running, limits.provisionedInitMs);
        break;
      case 'init tried again':
        running.deadline = Date.now() + this.#options.timeoutMs;
        this.#endAfter(running, this.#options.timeoutMs);
        break;
    }
  }

  #invoke(id: string, request: string): void {
    const running = this.#running.get(id);
    const pending = this.#pending.get(request);
    if (running === undefined || pending === undefined) return;
    // An initialisation in the request's time has used up some of it already.
    const deadline = running.deadline ?? Date.now() + this.#options.timeoutMs;
    running.deadline = deadline;
    this.#endAfter(running, deadline - Date.now());
    running.instance.invoke({ requestId: request, payload: pending.payload, deadline });
  }

  #freeze(id: string): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.deadline = undefined;
    clearTimeout(running.timer);
    running.timer = setTimeout(() => this.#handle({ type: 'expired', instance: id }), this.#around.limits.idleMs);
    running.instance.freeze();
    this.#provisioningEnds(running, 'provisioned');
  }

  #provisioningEnds(running: Running, how: 'provisioned' | 'provisioning failed'): void {
    if (!running.provisioning) return;
    running.provisioning = false;
    this.#around.note({ function: this.#options.name, instance: running.instance.id, type: how });
    if (!this.#isProvisioning()) this.#whenProvisioned?.();
  }

  #isProvisioning(): boolean {
    return Array.from(this.#running.values()).some(({ provisioning }) => provisioning);
  }

  #endAfter(running: Running, ms: number): void {
    clearTimeout(running.timer);
    running.timer = setTimeout(() => {
      this.#around.note({ function: this.#options.name, instance: running.instance.id, type: 'timed out' });
      running.instance.end();
    }, ms);
  }

  #forget(id: string, folder: string): void {
    const running = this.#running.get(id);
    clearTimeout(running?.timer);
    this.#running.delete(id);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    this.#around.note({ function: this.#options.name, instance: id, type: 'ended' });
    if (running !== undefined) this.#provisioningEnds(running, 'provisioning failed');
    this.#handle({ type: 'ended', instance: id });
    if (this.#running.size === 0) this.#whenEmpty?.();
  }

  #settle(request: string, outcome: Outcome): void {
    this.#pending.get(request)?.settle(outcome);
    this.#pending.delete(request);
  }
}
