import type { Scope } from '../../shared/config/scopes.ts';
import type { GroupConfig, StageConfig } from '../config.ts';
import { modelProcess } from '../model-process.ts';
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
    ...modelProcess,
    ...shared,
    ...modelNames(group.models, group.preload),
    CASALINGUA_CACHE_FOLDER: '/tmp/casalingua',
    CASALINGUA_CACHE_MB: String(group.cacheMb),
    CASALINGUA_THREADS: String(threadsFor(group.memoryMb)),
    ...group.environment,
  };
}

/** Of the control function, which answers for all groups. @param aliases ARNs of the groups' functions */
export function controlEnvironment(
  shared: SharedEnvironment,
  groups: StageConfig['groups'],
  aliases: readonly string[],
): Environment {
  const preload = Object.values(groups).flatMap((group) => group.preload);
  return {
    ...shared,
    ...modelNames(modelsOf(groups), preload),
    CASALINGUA_INFERENCE_FUNCTIONS: aliases.join(','),
  };
}

/**
 * What the gateway's word is worth to the functions. A signature says who calls, and IAM on which routes they may: so all who come to
 * a function by one may do what its routes with that authorizer are for.
 */
export function accessEnvironment(
  name: 'inference' | 'control',
  { callers, operators }: StageConfig['authorization'],
): Environment {
  const forCallers: Scope = name === 'inference' ? 'infer' : 'read';
  const signed: readonly Scope[] = [
    ...(callers.kind === 'iam' ? [forCallers] : []),
    ...(operators.kind === 'iam' && name === 'control' ? (['admin'] as const) : []),
  ];
  const tokens = [callers, operators].flatMap((one) => (one.kind === 'jwt' ? [one.allows] : []));
  const allows = Object.assign({}, ...tokens);
  return {
    ...(signed.length === 0 ? {} : { CASALINGUA_IAM_SCOPES: signed.join(',') }),
    ...(Object.keys(allows).length === 0 ? {} : { CASALINGUA_JWT_SCOPES: JSON.stringify(allows) }),
  };
}

/** What one caller may ask for in a minute. */
export function callerLimitsEnvironment(limits: StageConfig['callerLimits']): Environment {
  const { requestsPerMinute, charactersPerMinute } = limits;
  return {
    ...(requestsPerMinute === undefined ? {} : { CASALINGUA_LIMIT_REQUESTS_PER_MINUTE: String(requestsPerMinute) }),
    ...(charactersPerMinute === undefined
      ? {}
      : { CASALINGUA_LIMIT_CHARACTERS_PER_MINUTE: String(charactersPerMinute) }),
  };
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
