/** When models are loaded: all at start, at first use, or for each use. */
export type LoadingStrategy = 'eager' | 'lazy' | 'on_demand';

/** How a load that failed for now is tried again. */
export interface RetrySettings {
  /** Attempts of one load, the first included. */
  readonly maxAttempts: number;
  /** Each wait is at most so many times the one before. */
  readonly backoffFactor: number;
  /** Ms of the first wait at most; the wait itself is random from 0 up to there. */
  readonly initialMs: number;
  /** Ms of any wait at most. */
  readonly maxMs: number;
  /** Ms for which a model is left alone when all attempts have failed; grows by the factor with each such series. */
  readonly cooldownMs: number;
}

export interface MemoryProtectionSettings {
  /** False: memory is measured and reported, and nothing is refused for want of it. */
  readonly enabled: boolean;
  /** MB to keep free; undefined: the smaller of 2048 MB and 15 % of the limit. */
  readonly minimumRequiredMb: number | undefined;
  /** Replaces the container's own limit. */
  readonly limitMb: number | undefined;
  /** Percent of the limit; above it a worker is ended before the platform ends the process. */
  readonly watermarkPercent: number;
}

/** The plan's `model_loading`, in ms and MB. */
export interface ModelLoadingSettings {
  readonly strategy: LoadingStrategy;
  /** Ids that are loaded at start under every strategy, and stay. */
  readonly preloadModels: readonly string[];
  /** Ids that stay once they are loaded. */
  readonly alwaysLoadedModels: readonly string[];
  /** Ms of a load's own time; what an instance spends frozen does not count. */
  readonly loadTimeoutMs: number;
  /** Ms without a byte or a new phase. */
  readonly loadStallMs: number;
  /** False: loads start at once, memory alone limits them. */
  readonly queueEnabled: boolean;
  /** Models that may wait for their load. */
  readonly queueLimit: number;
  /** Loads at the same time. */
  readonly loadConcurrency: number;
  /** Instances of the fleet that may download the same model at the same time; 0: any number. */
  readonly loadPermits: number;
  /** True: a load ends when nobody waits for it any more. */
  readonly cancelUnwantedLoads: boolean;
  readonly retry: RetrySettings;
  readonly memoryProtection: MemoryProtectionSettings;
  /** Ms without a lease after which a model is unloaded. */
  readonly idleUnloadMs: number;
  /** Models that one sweep unloads at most. */
  readonly maxUnload: number;
  /** Ms between sweeps. */
  readonly sweepIntervalMs: number;
  /** Ms after READY in which a model is not unloaded to make room for another. */
  readonly minimumResidencyMs: number;
  /** Ms that leases of a model that is being unloaded may take. */
  readonly drainTimeoutMs: number;
  /** Whether a request's `keep_alive` is obeyed. */
  readonly keepAliveAllowed: boolean;
}
