import type { FleetBreakers } from '../../shared/fleet/breaker/fleet-breakers.ts';
import type { TableCalls } from '../../shared/fleet/table/table-calls.ts';

/**
 * Has this instance look at what the fleet shares, and resolves when all that it then asks for is answered, operators' wishes
 * included. Never rejects: without an answer it goes on as it was.
 */
export function createLookAtNews(deps: {
  readonly fleet: Pick<FleetBreakers, 'look'>;
  readonly table: Pick<TableCalls, 'pending'>;
}): () => Promise<void> {
  const { fleet, table } = deps;
  const look = () => new Promise<void>((resolve) => fleet.look(resolve));
  return async () => {
    await look();
    // The first may have joined a look that began before the news was there.
    await look();
    await table.pending();
  };
}

/**
 * For an instance that was woken without a request: looks at the news, has done what is wanted, and looks again, until nothing is
 * wanted any more. Never rejects.
 * @param underWay when all that was begun is done; undefined: it is already
 */
export async function actOnNews(deps: {
  readonly look: () => Promise<void>;
  readonly underWay: () => Promise<void> | undefined;
}): Promise<void> {
  for (;;) {
    await deps.look();
    const work = deps.underWay();
    if (work === undefined) return;
    await work;
  }
}
