import type { Pin } from '../../../shared/config/pin.ts';
import type { Settings } from '../../../shared/config/settings.ts';
import type { Preloads } from '../readiness.ts';

/** What the deployment's configuration says of models. */
export interface DeployedModels {
  /** Whether a model may be served here at all. */
  serves(id: string): boolean;
  /** Versions that it names itself. */
  readonly pins: ReadonlyMap<string, Pin>;
  /** Ids that stay once they are loaded. */
  readonly alwaysLoaded: ReadonlySet<string>;
  readonly preloads: Preloads;
}

export function deployedModels({ models, pins, modelLoading }: Settings): DeployedModels {
  const { strategy, preloadModels, alwaysLoadedModels } = modelLoading;
  return {
    serves: (id) => models.length === 0 || models.includes(id),
    pins,
    // What is loaded at start stays, too.
    alwaysLoaded: new Set([...alwaysLoadedModels, ...preloadModels]),
    preloads: strategy === 'eager' ? 'all' : preloadModels,
  };
}
