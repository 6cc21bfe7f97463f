import type { BreakerState } from '../breaker/breaker-state.ts';
import type { ModelState } from '../host/model-state.ts';

/** Something that the model log has a line of. */
export type InstanceEvent = ModelEvent | BreakerEvent;

export interface ModelEvent {
  readonly kind: 'model';
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  /** `id@version`. */
  readonly model: string;
  readonly from: ModelState;
  readonly to: ModelState;
  /** Ms that it was in `from`; undefined of its first step. */
  readonly tookMs: number | undefined;
  /** Of a failure. */
  readonly code: string | undefined;
}

export interface BreakerEvent {
  readonly kind: 'breaker';
  readonly at: number;
  readonly breaker: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
}

/** Events that an instance tells of at most. */
export const MOST_EVENTS = 8;

/** The last events of an instance, the newest first. */
export class LastEvents {
  #events: readonly InstanceEvent[] = [];

  add(event: InstanceEvent): void {
    this.#events = [event, ...this.#events.slice(0, MOST_EVENTS - 1)];
  }

  all(): readonly InstanceEvent[] {
    return this.#events;
  }
}
