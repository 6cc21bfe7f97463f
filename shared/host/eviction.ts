/** Which READY models must go: pure functions from what is there to what is chosen, least recently used first. */

/** A READY model, as the choice sees it. Times are wall ms. */
export interface Resident {
  readonly key: string;
  readonly memoryMb: number;
  readonly leases: number;
  readonly readyAt: number;
  readonly lastUsedAt: number;
  /** By configuration: loaded at start or always loaded. */
  readonly stays: boolean;
  /** As the last request wished: undefined: the configuration's idle time; negative: for ever. */
  readonly keepAliveMs: number | undefined;
}

const byLastUse = (a: Resident, b: Resident) => a.lastUsedAt - b.lastUsedAt;

function mayGo({ leases, stays }: Resident): boolean {
  return leases === 0 && !stays;
}

/** Idle models that may make room for another now. */
export function evictable<Item extends Resident>(
  residents: readonly Item[],
  now: number,
  minimumResidencyMs: number,
): Item[] {
  return residents
    .filter((resident) => mayGo(resident) && !isPinned(resident) && now - resident.readyAt >= minimumResidencyMs)
    .sort(byLastUse);
}

/** Of these, in their order, those that together give back `neededMb`, none of them for nothing; undefined when all are too little. */
export function enough<Item extends Resident>(candidates: readonly Item[], neededMb: number): Item[] | undefined {
  const chosen: Item[] = [];
  let freedMb = 0;
  for (const candidate of candidates) {
    if (freedMb >= neededMb) break;
    chosen.push(candidate);
    freedMb += candidate.memoryMb;
  }
  if (freedMb < neededMb) return undefined;
  // A larger one that came later may have made an earlier one needless.
  return chosen.filter((candidate) => {
    const isNeedless = freedMb - candidate.memoryMb >= neededMb;
    if (isNeedless) freedMb -= candidate.memoryMb;
    return !isNeedless;
  });
}

/** Models whose own `keep_alive` is over. */
export function expired<Item extends Resident>(residents: readonly Item[], now: number): Item[] {
  return residents.filter(
    (resident) =>
      mayGo(resident) &&
      resident.keepAliveMs !== undefined &&
      !isPinned(resident) &&
      now - resident.lastUsedAt >= resident.keepAliveMs,
  );
}

/** Models that nobody has used for `idleMs`, at most `atMost` of them; those with a `keep_alive` of their own aside. */
export function idle<Item extends Resident>(
  residents: readonly Item[],
  now: number,
  idleMs: number,
  atMost: number,
): Item[] {
  return residents
    .filter((resident) => mayGo(resident) && resident.keepAliveMs === undefined && now - resident.lastUsedAt >= idleMs)
    .sort(byLastUse)
    .slice(0, atMost);
}

/** The one to end when the process is about to be: with the fewest leases, of those one that need not stay. */
export function emptiest<Item extends Resident>(residents: readonly Item[]): Item | undefined {
  return residents.toSorted((a, b) => a.leases - b.leases || Number(a.stays) - Number(b.stays) || byLastUse(a, b))[0];
}

function isPinned({ keepAliveMs }: Resident): boolean {
  return keepAliveMs !== undefined && keepAliveMs < 0;
}
