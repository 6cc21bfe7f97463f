import type { BreakerClock } from '../../breaker/breaker-clock.ts';
import type { BreakerReport, BreakerTransition } from '../../breaker/breaker-state.ts';
import type { Breakers } from '../../breaker/breakers.ts';
import type { CircuitBreakerSettings } from '../../config/circuit-breaker.ts';
import type { FleetTable } from '../table/fleet-table.ts';
import { wishCount } from './digest-entry.ts';
import { DigestView } from './digest-view.ts';
import { FleetBreaker } from './fleet-breaker.ts';
import type { FleetGround } from './fleet-ground.ts';

export interface FleetBreakersOptions {
  /** This instance's id. */
  readonly instance: string;
  /** This instance's own breakers. */
  readonly local: Breakers;
  readonly table: FleetTable;
  readonly clock: BreakerClock;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Unique wherever it is made. */
  readonly newId: () => string;
  /** Ms for which what was read of the fleet is fresh. */
  readonly ttlMs: number;
  readonly onTransition: (transition: BreakerTransition) => void;
  /** Told, with every look, how often wishes and active versions were changed. */
  readonly onWishes?: (count: number) => void;
}

/** All breakers of one instance that the fleet shares, over one view of the digest. */
export class FleetBreakers {
  readonly #options: FleetBreakersOptions;
  readonly #ground: FleetGround;
  readonly #byName = new Map<string, FleetBreaker>();

  constructor(options: FleetBreakersOptions) {
    this.#options = options;
    const { instance, table, clock, random, newId, ttlMs, onWishes } = options;
    const digest = new DigestView({
      table,
      elapsed: () => clock.elapsed(),
      random,
      ttlMs,
      onItem: (item) => {
        for (const breaker of this.#byName.values()) breaker.learn(item);
        onWishes?.(wishCount(item));
      },
    });
    this.#ground = { instance, table, digest, clock, random, newId };
  }

  /** The breaker of this name; the first who asks decides on its settings. */
  get(name: string, settings: CircuitBreakerSettings, model?: string): FleetBreaker {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const { local, ttlMs, onTransition } = this.#options;
    const breaker = new FleetBreaker({
      local: local.get(name, settings, model),
      model,
      settings,
      ground: this.#ground,
      ttlMs,
      onTransition,
    });
    this.#byName.set(name, breaker);
    breaker.learn(this.#ground.digest.item);
    return breaker;
  }

  /** A request begins: what is due by the clock is done, beside it. */
  wake(): void {
    this.#ground.digest.wake();
    for (const breaker of this.#byName.values()) breaker.wake();
  }

  /** Whether so little is known of the fleet, or since so long, that a request should wait a moment for a look. */
  isStale(): boolean {
    return this.#ground.digest.isStale();
  }

  /** Has a look at the fleet, or joins the one that is under way. @param done told when it is over, and whether the store answered */
  look(done: (isRead: boolean) => void): void {
    this.#ground.digest.read(done);
  }

  /** All of this instance's breakers, those that it does not share included. */
  report(): readonly BreakerReport[] {
    return this.#options.local.report().map((report) => this.#byName.get(report.name)?.report() ?? report);
  }
}
