import { enough, evictable, type Resident } from './eviction.ts';

/** What there is to know when a model wants to come in. MB, and wall ms. */
export interface Room<Item extends Resident> {
  /** The newcomer's peak. */
  readonly neededMb: number;
  /** What models may take together now; undefined when memory cannot be read. */
  readonly budgetMb: number | undefined;
  /** What they could take together if the process were at its smallest. */
  readonly largestBudgetMb: number | undefined;
  readonly reservedMb: number;
  /** Of that, by workers that are on their way out. */
  readonly leavingMb: number;
  /** Of that, what loads in progress will give back once they are READY. */
  readonly shrinkingMb: number;
  readonly residents: readonly Item[];
  /** Versions that the newcomer replaces: they may go as soon as they are idle. */
  readonly replaced: readonly Item[];
  /** The newcomer has waited for that for so long that they go now: a model in constant use is never idle. */
  readonly haveOutstayed: boolean;
  /** False: the newcomer turns no other model out, since nobody waits for it. */
  readonly mayEvict: boolean;
  readonly now: number;
  readonly minimumResidencyMs: number;
}

export type Verdict<Item> =
  | { readonly kind: 'fits' }
  /** It will fit when those have left that are leaving, or loads in progress have shrunk to what they keep. */
  | { readonly kind: 'wait' }
  /** It will fit when these have left. */
  | { readonly kind: 'evict'; readonly models: readonly Item[] }
  | { readonly kind: 'not now'; readonly retryAfterMs: number }
  | { readonly kind: 'never'; readonly budgetMb: number }
  | { readonly kind: 'unreadable' };

/** When nothing says when a model that is in use will be idle. */
const BUSY_RETRY_MS = 5_000;
/** Less is what sums of measured MB are off by. */
const NOTHING_MB = 0.001;

/** Whether a model may be loaded now, and what must happen before. */
export function judge<Item extends Resident>(room: Room<Item>): Verdict<Item> {
  const { neededMb, budgetMb, largestBudgetMb, now, minimumResidencyMs } = room;
  if (budgetMb === undefined || largestBudgetMb === undefined) return { kind: 'unreadable' };
  if (neededMb > largestBudgetMb) return { kind: 'never', budgetMb: largestBudgetMb };
  const missingMb = room.reservedMb + neededMb - budgetMb;
  if (missingMb <= 0) return { kind: 'fits' };
  const stillMissingMb = missingMb - room.leavingMb;
  if (stillMissingMb <= 0) return { kind: 'wait' };
  const others = room.residents.filter((resident) => !room.replaced.includes(resident));
  const candidates = [
    ...(room.mayEvict ? evictable(others, now, minimumResidencyMs) : []),
    ...room.replaced.filter(({ leases }) => leases === 0 || room.haveOutstayed),
  ];
  const models = enough(candidates, stillMissingMb);
  if (models !== undefined) return { kind: 'evict', models };
  if (enough(candidates, stillMissingMb - room.shrinkingMb) !== undefined) return { kind: 'wait' };
  // With nothing beside it a model may have what it could have had at first: by what the process has grown since, compiled
  // code and memory that it freed and keeps, a load takes less.
  const besideMb = candidates.reduce((sum, { memoryMb }) => sum - memoryMb, room.reservedMb - room.leavingMb);
  if (besideMb < NOTHING_MB) {
    if (candidates.length > 0) return { kind: 'evict', models: candidates };
    return { kind: room.reservedMb < NOTHING_MB ? 'fits' : 'wait' };
  }
  return { kind: 'not now', retryAfterMs: untilEvictable(others, now, minimumResidencyMs) };
}

/** Ms until the first idle model has been READY for long enough. */
function untilEvictable(residents: readonly Resident[], now: number, minimumResidencyMs: number): number {
  const waits = residents
    .filter(({ leases, stays, keepAliveMs }) => leases === 0 && !stays && (keepAliveMs ?? 0) >= 0)
    .map(({ readyAt }) => readyAt + minimumResidencyMs - now)
    .filter((wait) => wait > 0);
  return waits.length === 0 ? BUSY_RETRY_MS : Math.min(...waits);
}
