import type { Breaker } from '../../../shared/breaker/breaker.ts';
import { countActive } from '../../../shared/fleet/breaker/active-count.ts';
import { trip } from '../../../shared/fleet/breaker/digest-steps.ts';
import type { FleetBreaker } from '../../../shared/fleet/breaker/fleet-breaker.ts';
import { votersOf, votesKey, voteWindow } from '../../../shared/fleet/breaker/vote-record.ts';
import { breakerSettings } from '../../support/breaker-settings.ts';
import { createTestBreakers } from '../../support/fleet-breakers.ts';
import { VirtualTable } from '../../support/virtual-table.ts';

/** Breakers of one instance of a small fleet, whose table is in memory. */
export interface OurBreakers {
  readonly closed: FleetBreaker;
  /** Of this instance alone; CLOSED for the fleet. */
  readonly open: FleetBreaker;
  readonly openForTheFleet: FleetBreaker;
  /** CLOSED however many calls fail: this instance votes against it, and no other does. */
  readonly neverOpens: FleetBreaker;
  /** What an instance has beneath them. */
  readonly local: { readonly closed: Breaker; readonly open: Breaker; readonly neverOpens: Breaker };
  /** A request begins: what four breakers of another instance do then, before which all is well. */
  wake(): void;
  /** Looks at the fleet, which has been counted again just now: what is measured is an instance that is up to date. */
  renew(): Promise<void>;
  /** Whether this instance has voted of late. */
  hasVoted(): boolean;
}

const names = { closed: 'translate a@1', open: 'translate b@1', tripped: 'translate c@1', never: 'translate d@1' };
/** The quorum is two, so this one votes and nothing follows. */
const INSTANCES = 3;

/** @param resetMs for which what is open stays so */
export async function createOurs(resetMs: number): Promise<OurBreakers> {
  const table = new VirtualTable();
  const { local, breakers } = createTestBreakers({ now: Date.now, table });
  const settings = breakerSettings({ resetMs });
  const { breakers: calm } = createTestBreakers({ now: Date.now });
  for (const name of Object.values(names)) calm.get(name, settings);
  // The first who asks decides on the settings: the instance's own never opens, and the fleet's part goes by the default.
  const neverOpens = local.get(names.never, breakerSettings({ failureThreshold: Number.MAX_SAFE_INTEGER }));
  const open = local.get(names.open, breakerSettings({ resetMs, failureThreshold: 1 }));
  const asked = Array.from({ length: INSTANCES }, () => Object.values(names));
  const ours: OurBreakers = {
    closed: breakers.get(names.closed, settings),
    open: breakers.get(names.open, settings),
    openForTheFleet: breakers.get(names.tripped, settings),
    neverOpens: breakers.get(names.never, settings),
    local: { closed: local.get(names.closed, settings), open, neverOpens },
    wake: () => calm.wake(),
    async renew() {
      const count = countActive(asked, [], Date.now());
      if (count !== undefined) table.apply(count);
      await new Promise<boolean>((done) => calm.look(done));
      await new Promise<boolean>((done) => breakers.look(done));
    },
    hasVoted() {
      const window = voteWindow(Date.now());
      return [window - 1, window].some((one) => votersOf(table.read(votesKey(names.never, 0, one)).item).size > 0);
    },
  };
  table.apply(trip(names.tripped, { epoch: 0, now: Date.now(), openMs: resetMs, openings: 1 }));
  await ours.renew();
  const ticket = ours.open.admit();
  if (ticket !== undefined) ours.open.settle(ticket, 'failure', 0);
  return ours;
}
