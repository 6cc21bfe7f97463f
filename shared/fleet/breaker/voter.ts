import type { CircuitBreakerSettings } from '../../config/circuit-breaker.ts';
import { instanceShards } from '../instance-shards.ts';
import { PERIOD_MS } from '../instance-snapshot.ts';
import type { Item } from '../table/fleet-table.ts';
import type { DigestEntry } from './digest-entry.ts';
import { trip } from './digest-steps.ts';
import { type FleetGround, takeStep } from './fleet-ground.ts';
import {
  badCallsToVote,
  drawOpenMs,
  knownActive,
  openingsThatCount,
  quorumOf,
  VOTE_WINDOW_MS,
  voteProbability,
} from './fleet-rules.ts';
import { Lottery } from './lottery.ts';
import { vote, votersOf, votesKey, voteWindow } from './vote-record.ts';

/** What an instance says against a breaker: at this moment, and not from memory. */
export interface Evidence {
  /** Whether its own calls, admitted in this epoch, show failure. */
  readonly showsFailure: boolean;
  /** Whether its own breaker has opened. */
  readonly isOpen: boolean;
  readonly badCalls: number;
}

type Trippable = Pick<DigestEntry, 'state' | 'openings'>;

/** A vote that takes longer says nothing of now: the instance was frozen in between. */
const FRESH_MS = 5_000;
/** Before a vote that got no answer is tried again. */
const RETRY_MS = 1_000;
/** Others are there unless they have said nothing for so long. */
const ALIVE_MS = 2 * PERIOD_MS;

/**
 * Votes that a breaker be opened for the whole fleet, once in each epoch and window, and opens it when there are enough
 * who say so. Nothing is written as long as all is well.
 */
export class Voter {
  readonly #breaker: string;
  readonly #ground: FleetGround;
  readonly #settings: CircuitBreakerSettings;
  readonly #evidence: () => Evidence;
  readonly #lottery: Lottery;
  /** Epoch and window of the last vote that was answered. */
  #voted: string | undefined;
  #isBusy = false;
  #notBefore = 0;

  constructor(breaker: string, ground: FleetGround, settings: CircuitBreakerSettings, evidence: () => Evidence) {
    this.#breaker = breaker;
    this.#ground = ground;
    this.#settings = settings;
    this.#evidence = evidence;
    this.#lottery = new Lottery(ground.random);
  }

  /** Something speaks against it. @param known as of now: it can be tripped */
  consider({ state, openings, active }: DigestEntry): void {
    const { clock, instance, table } = this.#ground;
    const wall = clock.wall();
    const startedAt = clock.elapsed();
    const count = knownActive(active, wall);
    if (count === undefined || this.#isBusy || startedAt < this.#notBefore) return;
    const { epoch } = state;
    const window = voteWindow(wall);
    const occasion = `${epoch} ${window}`;
    if (this.#voted === occasion) {
      if (count === 1) this.#considerAlone({ state, openings });
      return;
    }
    const quorum = quorumOf(count, openingsThatCount(openings, wall, this.#settings.resetMs));
    if (!this.#isBadEnough(quorum)) return;
    if (!this.#lottery.wins(occasion, voteProbability(count))) return;
    const isFresh = () => clock.elapsed() - startedAt < FRESH_MS && clock.wall() - wall < VOTE_WINDOW_MS;
    this.#isBusy = true;
    table.update(vote(this.#breaker, epoch, window, instance), (answer) => {
      if (answer.kind === 'unavailable') {
        this.#giveUp();
        return;
      }
      this.#voted = occasion;
      const voters = votersOf(answer.item);
      const decide = (all: ReadonlySet<string>) => {
        this.#isBusy = false;
        if (!isFresh()) return;
        if (all.size >= quorum) this.#trip({ state, openings });
        else if (count === 1) this.#considerAlone({ state, openings });
      };
      if (voters.size >= quorum) decide(voters);
      else this.#withEarlier(epoch, window, voters, decide);
    });
  }

  #isBadEnough(quorum: number): boolean {
    const { showsFailure, isOpen, badCalls } = this.#evidence();
    return showsFailure && (isOpen || badCalls >= badCallsToVote(this.#settings, quorum));
  }

  /** Votes of the window before count as well: quorums are not to depend on where a window ends. */
  #withEarlier(
    epoch: number,
    window: number,
    voters: ReadonlySet<string>,
    decide: (all: ReadonlySet<string>) => void,
  ): void {
    this.#ground.table.read(
      votesKey(this.#breaker, epoch, window - 1),
      (answer) => {
        const earlier: Item | undefined = answer.kind === 'read' ? answer.item : undefined;
        decide(new Set([...voters, ...votersOf(earlier)]));
      },
      { isConsistent: true },
    );
  }

  /** A fleet of one is its own quorum when its breaker has opened, but a count may be of before the others came: they are looked for. */
  #considerAlone(entry: Trippable): void {
    const { table, clock, instance } = this.#ground;
    const startedAt = clock.elapsed();
    if (!this.#evidence().isOpen || startedAt < this.#notBefore) return;
    let left = instanceShards.length;
    let isAlone = true;
    this.#isBusy = true;
    this.#notBefore = startedAt + FRESH_MS;
    for (const shard of instanceShards) {
      table.query(shard, (answer) => {
        left -= 1;
        const others = answer.kind === 'read' ? [...answer.items] : undefined;
        isAlone &&= others?.every(([id, item]) => id === instance || isSilent(item, clock.wall())) ?? false;
        if (left > 0) return;
        this.#isBusy = false;
        if (isAlone && clock.elapsed() - startedAt < FRESH_MS) this.#trip(entry);
      });
    }
  }

  #trip({ state, openings }: Trippable): void {
    // What spoke against it may be over by now.
    if (!this.#evidence().showsFailure) return;
    const { clock, random } = this.#ground;
    const now = clock.wall();
    const next = openingsThatCount(openings, now, this.#settings.resetMs) + 1;
    this.#isBusy = true;
    takeStep(
      this.#ground,
      trip(this.#breaker, {
        epoch: state.epoch,
        now,
        openMs: drawOpenMs(next, this.#settings.resetMs, random()),
        openings: next,
      }),
      (answer) => {
        if (answer.kind === 'unavailable') this.#giveUp();
        this.#isBusy = false;
      },
    );
  }

  /** For now: it votes again, which does nothing twice. */
  #giveUp(): void {
    this.#isBusy = false;
    this.#voted = undefined;
    this.#notBefore = this.#ground.clock.elapsed() + RETRY_MS;
  }
}

function isSilent(item: Item, wall: number): boolean {
  const at = item['at'];
  return typeof at !== 'number' || wall - at > ALIVE_MS;
}
