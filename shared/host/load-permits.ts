/** Why a load may begin: it has one of the fleet's permits, or nobody can hand any out now. */
export type PermitGrant = 'permit' | 'store away';

/** Who wants a permit. Told in later steps, never inside a call, and nothing more once it has been given back. */
export interface PermitSeeker {
  /** At most once. */
  granted(grant: PermitGrant): void;
  /** At most once, after `granted`: from now on another may load in its place. */
  lost(): void;
}

/** A permit that is sought or held. */
export interface LoadPermit {
  /** Gives it back, or stops seeking it; calling it again does nothing. Calls nobody back. */
  release(): void;
}

/**
 * Permits to download a model, a limited number of them for each model in the whole fleet, so that a cold fleet does not
 * fall upon S3 at once. An efficiency, not a lock: nothing may depend on it.
 */
export interface LoadPermits {
  /** @param model its id, whichever version */
  seek(model: string, seeker: PermitSeeker): LoadPermit;
  /** Does what is due by the clock: after a freeze no timer has run. May call `lost` at once. */
  wake(): void;
}
