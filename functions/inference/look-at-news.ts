import type { FleetBreakers } from '../../shared/fleet/breaker/fleet-breakers.ts';
import type { TableCalls } from '../../shared/fleet/table/table-calls.ts';
import type { WishKeeper } from '../../shared/fleet/wishes/wish-keeper.ts';

/** Between two looks at a store that does not answer: at first, and at most. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

/**
 * Has this instance look at what the fleet shares, and resolves when all that it then asks for is answered, operators' wishes
 * included: with whether it knows all of it now. Never rejects: without an answer it goes on as it was.
 */
export function createLookAtNews(deps: {
  readonly fleet: Pick<FleetBreakers, 'look'>;
  readonly table: Pick<TableCalls, 'pending'>;
  readonly wishes: Pick<WishKeeper, 'isUpToDate'>;
}): () => Promise<boolean> {
  const { fleet, table, wishes } = deps;
  const look = () => new Promise<boolean>((resolve) => fleet.look(resolve));
  return async () => {
    await look();
    // The first may have joined a look that began before the news was there.
    const isRead = await look();
    await table.pending();
    return isRead && wishes.isUpToDate;
  };
}

/**
 * For an instance that was woken without a request: looks at the news, has done what is wanted, and looks again, until all is known
 * and nothing is wanted any more, or its time is over. Nobody else may have been woken, so a store that does not answer is asked
 * again. Never rejects.
 */
export async function actOnNews(deps: {
  /** @returns whether all was seen */
  readonly look: () => Promise<boolean>;
  /** When all that was begun is done; undefined: it is already. */
  readonly underWay: () => Promise<void> | undefined;
  readonly pause: (ms: number) => Promise<void>;
  /** Aborted when its time is over. */
  readonly signal: AbortSignal;
}): Promise<void> {
  const { look, underWay, pause, signal } = deps;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const isKnown = await look();
    const work = underWay();
    if (work !== undefined) {
      await work;
    } else if (isKnown) {
      return;
    } else {
      await pause(pauseMs);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }
}
