import type { CasaLinguaError } from '../errors.ts';
import { cooldownMs } from './backoff.ts';
import type { Ground } from './effects.ts';
import { failureOf } from './load-failure.ts';
import type { Draining, Ready, Slot, Stay, UnloadCause } from './slot.ts';
import type { ReadySlot } from './slot-table.ts';

/** Awake ms that a worker's end may take before nobody waits for it any more. */
const END_GRACE_MS = 10_000;
/** Crashes that are further apart have nothing to do with each other. Wall ms. */
const CRASH_WINDOW_MS = 600_000;

/** How models go: drained, died, or lost. A part of the scheduler. */
export class Departures {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Admits no new lease; the worker ends with the last one. */
  drain(slot: ReadySlot, cause: UnloadCause, reason: string): void {
    const { table, clock, settings } = this.#ground;
    const draining: Draining = {
      kind: 'DRAINING',
      ready: slot.state,
      cause,
      deadline: clock.awake() + settings.drainTimeoutMs,
    };
    slot.keepAliveMs = undefined;
    table.change(slot, draining, reason);
    if (draining.ready.leases === 0) this.endDrained(draining);
  }

  /** Drains a model that those who use it want gone: it comes back when somebody asks for it, and not by itself. */
  dismiss(slot: ReadySlot, cause: UnloadCause, reason: string): void {
    slot.isPreload = false;
    this.drain(slot, cause, reason);
  }

  /** Ends the worker of a model that is draining, leased or not. */
  endDrained({ ready }: Draining): void {
    if (ready.stay.endingSince === undefined) this.#end(ready);
  }

  /** A READY worker has died: its leases can only fail, and a new load may begin when its remains are gone. */
  bury(slot: ReadySlot, error: CasaLinguaError): void {
    const { table, effects, clock, settings } = this.#ground;
    const failure = failureOf(error);
    const wall = clock.wall();
    effects.noticed('crashed', slot, failure);
    slot.remains++;
    this.#end(slot.state);
    const isAgain = slot.crashedAt !== undefined && wall - slot.crashedAt < CRASH_WINDOW_MS;
    slot.crashes = isAgain ? slot.crashes + 1 : 1;
    slot.crashedAt = wall;
    slot.lastFailure = failure;
    // Once can be anybody's bad luck; a model that dies again and again is left alone for longer and longer.
    if (isAgain) {
      const retryAt = wall + cooldownMs(settings.retry, slot.crashes - 1);
      table.change(slot, { kind: 'FAILED', failure, retryAt });
    } else {
      table.change(slot, { kind: 'UNLOADED' }, 'its worker crashed');
    }
  }

  /** The thread of this stay is over. */
  ended(stay: Stay): void {
    this.#ground.ledger.remove(stay);
    if (!stay.isLost) this.#over(stay.slot, stay);
  }

  /** Gives up waiting for ends that do not come; their memory counts on. @returns the stays that are lost from now on */
  loseLate(): Stay[] {
    const { ledger, clock, effects } = this.#ground;
    const late = [...ledger.stays()].filter(
      ({ endingSince, isLost }) => endingSince !== undefined && !isLost && clock.awake() - endingSince >= END_GRACE_MS,
    );
    for (const stay of late) {
      stay.isLost = true;
      effects.noticed('lost', stay.slot);
      this.#over(stay.slot, stay);
    }
    return late;
  }

  #over(slot: Slot, stay: Stay): void {
    if (slot.state.kind === 'DRAINING' && slot.state.ready.stay === stay) {
      this.#ground.table.change(slot, { kind: 'UNLOADED' });
    } else {
      slot.remains--;
    }
  }

  #end({ stay, worker }: Ready): void {
    stay.endingSince = this.#ground.clock.awake();
    this.#ground.effects.endWorker(stay, worker);
  }
}
