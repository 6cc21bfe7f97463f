import type { ModelLoadingSettings } from '../../shared/config/model-loading.ts';

/** Settings to change; of the groups, single members. */
export type HostChanges = Partial<Omit<ModelLoadingSettings, 'retry' | 'memoryProtection'>> & {
  readonly retry?: Partial<ModelLoadingSettings['retry']>;
  readonly memoryProtection?: Partial<ModelLoadingSettings['memoryProtection']>;
};

/** Round numbers to reckon with in a test, but for `changes`. */
export function hostSettings({ retry, memoryProtection, ...changes }: HostChanges = {}): ModelLoadingSettings {
  return {
    strategy: 'lazy',
    preloadModels: [],
    alwaysLoadedModels: [],
    loadTimeoutMs: 300_000,
    loadStallMs: 60_000,
    queueEnabled: true,
    queueLimit: 16,
    loadConcurrency: 1,
    loadPermits: 64,
    cancelUnwantedLoads: false,
    retry: { maxAttempts: 3, backoffFactor: 2, initialMs: 1_000, maxMs: 60_000, cooldownMs: 30_000, ...retry },
    memoryProtection: {
      enabled: true,
      minimumRequiredMb: 100,
      limitMb: undefined,
      watermarkPercent: 95,
      ...memoryProtection,
    },
    idleUnloadMs: 1_800_000,
    maxUnload: 2,
    sweepIntervalMs: 60_000,
    minimumResidencyMs: 60_000,
    drainTimeoutMs: 30_000,
    keepAliveAllowed: true,
    ...changes,
  };
}
