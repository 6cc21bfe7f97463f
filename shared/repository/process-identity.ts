import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** Who holds something in a folder that processes share, and whether it still lives. */
export interface ProcessIdentity {
  /** Letters, digits and dots, unique to this process. */
  readonly own: string;
  /** @param ageMs how long ago the holder left its mark */
  isAlive(owner: string, ageMs: number): boolean;
}

/** Tells this process from an earlier one with the same pid: a restarted Lambda runtime often gets the same. */
const NONCE = randomBytes(6).toString('hex');
/** A process on another machine can't be asked; after this long its mark counts as left behind. */
const FOREIGN_MARK_MS = 24 * 3600 * 1000;

export function thisProcess(): ProcessIdentity {
  const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  const own = `${host}.${process.pid}.${NONCE}`;
  return {
    own,
    isAlive(owner, ageMs) {
      const [ownerHost, pid] = owner.split('.');
      if (owner === own) {
        return true;
      }
      if (ownerHost !== host) {
        return ageMs < FOREIGN_MARK_MS;
      }
      return Number(pid) !== process.pid && isRunning(Number(pid));
    },
  };
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) {
    return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // Not permitted to signal it: it is there.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
