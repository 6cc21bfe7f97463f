import type { BreakerClock } from '../../breaker/breaker-clock.ts';
import { Ramp } from '../../breaker/ramp.ts';
import type { CircuitBreakerSettings } from '../../config/circuit-breaker.ts';
import type { Item } from '../table/fleet-table.ts';
import { type Counted, type DigestEntry, type FleetState, isNotOlder, readEntry } from './digest-entry.ts';

/** The first probe comes so much later at most than it might: not every instance is to look in one moment. */
const LATEST_PROBE_MS = 1_000;

/** How a breaker of the fleet came to be as it is known now. */
export interface Learned {
  readonly from: FleetState;
  readonly to: FleetState;
  /** What was known of this instance's own calls counts no more. */
  readonly beginsAnew: boolean;
}

/** What this instance knows of one breaker of the fleet, and for how long by its own clock. */
export class KnownEntry {
  readonly #breaker: string;
  readonly #clock: BreakerClock;
  readonly #settings: CircuitBreakerSettings;
  readonly #random: () => number;
  #entry: DigestEntry = { state: { kind: 'CLOSED', epoch: 0 }, openings: undefined, active: undefined };
  /** Elapsed ms when the state, its claim and its probe were first seen as they are. */
  #seenAt: number;
  #waitMs = 0;
  #ramp: Ramp | undefined;

  constructor(
    breaker: string,
    ground: { readonly clock: BreakerClock; readonly random: () => number },
    settings: CircuitBreakerSettings,
  ) {
    this.#breaker = breaker;
    this.#clock = ground.clock;
    this.#random = ground.random;
    this.#settings = settings;
    this.#seenAt = ground.clock.elapsed();
  }

  get entry(): DigestEntry {
    return this.#entry;
  }

  get state(): FleetState {
    return this.#entry.state;
  }

  /** Calls come back; undefined in any other state. */
  get ramp(): Ramp | undefined {
    return this.#ramp;
  }

  /** @returns what is new in the state; undefined: nothing, or it was the older */
  learn(item: Item | undefined): Learned | undefined {
    const read = readEntry(item, this.#breaker);
    const from = this.#entry.state;
    const active = newer(read.active, this.#entry.active);
    if (!isNotOlder(read.state, from)) {
      this.#entry = { ...this.#entry, active };
      return undefined;
    }
    this.#entry = { ...read, active };
    const to = read.state;
    if (identityOf(to) === identityOf(from)) return undefined;
    const now = this.#clock.elapsed();
    this.#seenAt = now;
    this.#waitMs = this.#random() * LATEST_PROBE_MS;
    this.#ramp =
      to.kind === 'RAMP'
        ? new Ramp(now - this.#sinceMs(to.at, this.#settings.rampMs), this.#settings.rampMs)
        : undefined;
    return { from, to, beginsAnew: to.epoch !== from.epoch || to.kind === 'RAMP' };
  }

  /** Ms until a probe may be claimed, as far as this instance can tell; 0: now. */
  probeInMs(): number {
    const { state } = this.#entry;
    const seenMs = this.#clock.elapsed() - this.#seenAt;
    switch (state.kind) {
      case 'OPEN': {
        const wholeMs = state.openMs + this.#waitMs;
        return Math.max(0, wholeMs - Math.max(this.#sinceMs(state.at, wholeMs), seenMs));
      }
      case 'HALF_OPEN':
        // A dead prober's lease has ended when nothing has changed for its length, by this instance's own clock.
        return state.probe === undefined ? 0 : Math.max(0, state.probe.leaseMs - seenMs);
      default:
        return Number.POSITIVE_INFINITY;
    }
  }

  /** Ms for which it still is to stay open, whoever claims what. */
  openForMs(): number {
    const { state } = this.#entry;
    if (state.kind !== 'OPEN') return 0;
    const seenMs = this.#clock.elapsed() - this.#seenAt;
    return Math.max(0, state.openMs - Math.max(this.#sinceMs(state.at, state.openMs), seenMs));
  }

  /** By two wall clocks, so bounded: an error of theirs makes a probe early or late, no more. */
  #sinceMs(at: number, mostMs: number): number {
    return Math.min(mostMs, Math.max(0, this.#clock.wall() - at));
  }
}

function identityOf(state: FleetState): string {
  const { kind, epoch } = state;
  return state.kind === 'HALF_OPEN' ? `${kind} ${epoch} ${state.claims} ${state.probe?.id}` : `${kind} ${epoch}`;
}

function newer(read: Counted | undefined, known: Counted | undefined): Counted | undefined {
  if (read === undefined || known === undefined) return read ?? known;
  return read.at >= known.at ? read : known;
}
