import {
  absent,
  equals,
  type FleetTable,
  type Item,
  type Key,
  set,
  type Update,
  type UpdateAnswer,
} from '../../shared/fleet/table/fleet-table.ts';
import type { Race } from './fleet-race-run.ts';

export const EPOCHS = 200;
export const epochKey: Key = { pk: 'RACE', sk: 'EPOCHS' };

/** All raise one number, step by step, as breakers raise their epochs; a step is won by whoever made it. */
export const raceForEpochs: Race = async ({ me, table, tell }) => {
  let epoch = 0;
  for (let tries = 1; epoch < EPOCHS; tries++) {
    const id = `${me} ${tries}`;
    const prize = prizeOf(epoch + 1);
    const item = await decided(table, raise(epoch, id));
    if (item?.[prize] === id) tell(prize);
    epoch = typeof item?.['e'] === 'number' ? item['e'] : 0;
  }
};

/** The attribute that says by whose try an epoch was reached. */
export function prizeOf(epoch: number): string {
  return `won_${epoch}`;
}

function raise(epoch: number, id: string): Update {
  return {
    name: 'RAISE',
    key: epochKey,
    condition: epoch === 0 ? absent('e') : equals(['e'], epoch),
    changes: [set(['e'], epoch + 1), set([prizeOf(epoch + 1)], id)],
  };
}

/** The item when it is known what became of the update, which is repeated as it is. */
async function decided(table: FleetTable, update: Update): Promise<Item | undefined> {
  for (;;) {
    const answer = await new Promise<UpdateAnswer>((done) => table.update(update, done));
    if (answer.kind !== 'unavailable') return answer.item;
  }
}
