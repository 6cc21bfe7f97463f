import { Breaker, type Ticket } from '../../shared/breaker/breaker.ts';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import type { BreakerTransition } from '../../shared/breaker/breaker-state.ts';
import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';
import { breakerSettings } from './breaker-settings.ts';
import { HandClock } from './hand-clock.ts';

/** A breaker whose time passes when the test says so, and what it told. */
export class BreakerStage {
  readonly clock = new HandClock();
  readonly settings: CircuitBreakerSettings;
  readonly steps: BreakerTransition[] = [];
  readonly breaker: Breaker;

  constructor(changes: Partial<CircuitBreakerSettings> = {}) {
    this.settings = breakerSettings(changes);
    this.breaker = new Breaker({
      name: 'translate m@1',
      model: 'm@1',
      settings: this.settings,
      clock: createBreakerClock(() => this.clock.wall()),
      onTransition: (step) => this.steps.push(step),
    });
  }

  /** @throws when the breaker refuses */
  admitted(): Ticket {
    const ticket = this.breaker.admit();
    if (ticket === undefined) throw new Error('the breaker refused the call');
    return ticket;
  }

  isRefused(): boolean {
    return this.breaker.admit() === undefined;
  }

  succeed(tookMs = 0): void {
    this.breaker.settle(this.admitted(), 'success', tookMs);
  }

  fail(times = 1): void {
    for (let time = 0; time < times; time++) this.breaker.settle(this.admitted(), 'failure', 0);
  }

  /** OPEN, from this moment on. */
  opened(): this {
    this.fail(this.settings.failureThreshold);
    return this;
  }

  /** Open for long enough: the next call is a probe. */
  rested(): this {
    this.opened().clock.pass(this.settings.resetMs);
    return this;
  }

  /** At the begin of the ramp. */
  recovered(): this {
    this.rested();
    for (let probe = 0; probe < this.settings.halfOpenSuccesses; probe++) this.succeed();
    return this;
  }

  state() {
    return this.breaker.report().state;
  }

  /** E.g. `CLOSED>OPEN`. */
  path(): readonly string[] {
    return this.steps.map(({ from, to }) => `${from}>${to}`);
  }
}
