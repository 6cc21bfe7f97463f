import type { GroupConfig, StageConfig } from '../config.ts';
import { threadsFor } from './function-resources.ts';

/** What every function is told. Names as in docs/configuration.md. */
export interface SharedEnvironment {
  readonly CASALINGUA_STAGE: string;
  readonly CASALINGUA_MODEL_BUCKET: string;
  readonly CASALINGUA_TABLE: string;
}

type Environment = Readonly<Record<string, string>>;

/** Of the function of a group of models. */
export function groupEnvironment(shared: SharedEnvironment, group: GroupConfig): Environment {
  return {
    ...shared,
    ...modelNames(group.models, group.preload),
    CASALINGUA_CACHE_FOLDER: '/tmp/casalingua',
    CASALINGUA_CACHE_MB: String(group.cacheMb),
    CASALINGUA_THREADS: String(threadsFor(group.memoryMb)),
    ...group.environment,
  };
}

/** Of the control function, which answers for all groups. */
export function controlEnvironment(shared: SharedEnvironment, groups: StageConfig['groups']): Environment {
  const preload = Object.values(groups).flatMap((group) => group.preload);
  return { ...shared, ...modelNames(modelsOf(groups), preload) };
}

/** The ids that any group serves. */
export function modelsOf(groups: StageConfig['groups']): 'all' | readonly string[] {
  const ids = new Set<string>();
  for (const { models } of Object.values(groups)) {
    if (models === 'all') return 'all';
    for (const id of models) ids.add(id);
  }
  return [...ids];
}

function modelNames(models: 'all' | readonly string[], preload: readonly string[]): Environment {
  return {
    ...(models === 'all' ? {} : { CASALINGUA_MODELS: models.join(',') }),
    ...(preload.length === 0 ? {} : { CASALINGUA_MODEL_LOADING_PRELOAD_MODELS: [...new Set(preload)].join(',') }),
  };
}
