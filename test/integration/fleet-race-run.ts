import type { FleetTable } from '../../shared/fleet/table/fleet-table.ts';

/** What one process has for a race. */
export interface Racer {
  /** Another text in each process. */
  readonly me: string;
  /** Over a client of its own; some answers of it are lost. */
  readonly table: FleetTable;
  /** Tells the test what this process has won, as far as it knows. */
  readonly tell: (prize: string) => void;
}

/** Resolves when this process has run to the end. */
export type Race = (racer: Racer) => Promise<void>;

/** What a child needs to know. */
export interface RaceStart {
  readonly race: string;
  readonly me: string;
  readonly endpoint: string;
  readonly tableName: string;
}

/** What a child says, one JSON line each. */
export type RaceLine =
  | { readonly kind: 'ready' }
  | { readonly kind: 'won'; readonly prize: string }
  /** The answers that it was denied, and what it was told of as a fault. */
  | { readonly kind: 'done'; readonly lostAnswers: number; readonly faults: readonly string[] };
