/** What the time of the next reading depends on. */
export interface PollSituation {
  /** Readings in a row that failed. */
  readonly failures: number;
  /** What the service asked for; 0: nothing. */
  readonly retryAfterMs: number;
  /** Something loads, or somebody has just acted. */
  readonly isBusy: boolean;
  /** Nobody sees the page. */
  readonly isHidden: boolean;
}

export const BUSY_MS = 2_000;
export const CALM_MS = 5_000;
export const HIDDEN_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** Ms from the end of one reading to the next. @param random 0 to 1: pages that failed together do not come back together */
export function nextPollMs({ failures, retryAfterMs, isBusy, isHidden }: PollSituation, random: number): number {
  if (failures > 0) {
    const most = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 16));
    const wait = Math.max(most * (0.5 + random / 2), retryAfterMs);
    return isHidden ? Math.max(HIDDEN_MS, wait) : wait;
  }
  if (isHidden) return HIDDEN_MS;
  return isBusy ? BUSY_MS : CALM_MS;
}

/** When figures that old are no longer what one would expect to see. */
export function isOverdue(ageMs: number, isHidden: boolean): boolean {
  return ageMs > (isHidden ? HIDDEN_MS : CALM_MS) * 3;
}
