import type { Update } from '../../../shared/fleet/table/fleet-table.ts';
import { clausesOf, withoutClause } from '../../support/virtual-table.ts';

/** A clause of the condition of one step, counted from 0. */
export interface Clause {
  readonly step: string;
  readonly clause: number;
}

/** Carries out the step without this clause, and all others as they are. */
export function dropClause({ step, clause }: Clause): (update: Update) => Update {
  return (update) => {
    if (update.name !== step || update.condition === undefined) return update;
    return { ...update, condition: withoutClause(update.condition, clause) };
  };
}

/** Every clause of these steps. */
export function clausesOfSteps(steps: readonly Update[]): readonly Clause[] {
  const most = new Map<string, number>();
  for (const { name, condition } of steps) most.set(name, Math.max(most.get(name) ?? 0, clausesOf(condition)));
  return [...most].flatMap(([step, count]) => Array.from({ length: count }, (_, clause) => ({ step, clause })));
}
