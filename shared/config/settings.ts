import type { LogLevel } from '../observability/log.ts';
import { type AccessSettings, toAccessSettings, toCallerLimits } from './access.ts';
import type { AdmissionSettings } from './admission.ts';
import { admissionSection, toAdmissionSettings } from './admission-section.ts';
import type { CallerLimits } from './caller-limits.ts';
import type { Checks } from './checks.ts';
import type { CircuitBreakerSettings } from './circuit-breaker.ts';
import { circuitBreakerSection, toCircuitBreakerSettings } from './circuit-breaker-section.ts';
import type { ConfigFile } from './config-content.ts';
import { type FilePart, readConfigFile } from './config-file.ts';
import { CHECKED_VARIABLES, environmentOf } from './environment.ts';
import { SettingsInvalidError } from './errors.ts';
import type { ModelLoadingSettings } from './model-loading.ts';
import { modelLoadingSection } from './model-loading-section.ts';
import type { Pin } from './pin.ts';
import { readModelLoading } from './read-model-loading.ts';
import { type Environment, readSection } from './read-section.ts';
import { variablesFor } from './section-names.ts';
import type { Checked } from './section-source.ts';
import { readVariables } from './variables.ts';

/** What one request may ask for at most. */
export interface Limits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number;
  /** UTF-16 code units of one text. */
  readonly textCharacters: number;
  /** Texts of one request. */
  readonly batchTexts: number;
  /** UTF-16 code units of all texts of one request. */
  readonly batchCharacters: number;
  /** Alternatives for each text. */
  readonly alternatives: number;
}

export interface DownloadSettings {
  /** Bytes of one ranged GET. */
  readonly partBytes: number;
  /** Ranged GETs of this process under way at once. */
  readonly concurrency: number;
  /** Attempts for one part, the first included. */
  readonly attempts: number;
  /** Ms without a byte after which an attempt is given up. */
  readonly stallMs: number;
}

/** What the environment and the configuration file decide; `settingsOf` is the only reader of both. */
export interface Settings {
  /** S3 bucket of the model repository. */
  readonly bucket: string;
  /** DynamoDB table of the fleet's state. */
  readonly table: string;
  /** Ids to serve; empty: whatever lies under `models/` in the bucket. */
  readonly models: readonly string[];
  readonly pins: ReadonlyMap<string, Pin>;
  /** The model, by id, that serves while the breaker of another is open; goes before what the manifests say. */
  readonly fallbacks: ReadonlyMap<string, string>;
  /** Names or ARNs of the Lambda functions that hold models, for whoever wakes them. */
  readonly inferenceFunctions: readonly string[];
  /** Where model files are kept on disk. */
  readonly cacheFolder: string;
  /** MB that model files may take on disk. */
  readonly cacheMb: number;
  /** Threads of one model's engine. */
  readonly threads: number;
  /** Replaces the manifests' `generation.numBeams` where it is given. */
  readonly numBeams?: number;
  /** Inferences of a warm-up, by how the instance was started. */
  readonly warmUp: { readonly onDemand: number; readonly provisioned: number };
  readonly limits: Limits;
  /** From which level on lines are logged. */
  readonly logLevel: LogLevel;
  /** Ms that one call to DynamoDB may take. */
  readonly storeTimeoutMs: number;
  /** Ms for the first call of a process that knows nothing yet: it also pays for the connection and the credentials. */
  readonly storeFirstTimeoutMs: number;
  /** Ms for which the active versions are fresh, before jitter; sooner, when the fleet tells that they have changed. */
  readonly catalogTtlMs: number;
  /** Ms for which what was read of the fleet's state is fresh, before jitter. */
  readonly fleetTtlMs: number;
  readonly download: DownloadSettings;
  readonly modelLoading: ModelLoadingSettings;
  readonly circuitBreaker: CircuitBreakerSettings;
  readonly admission: AdmissionSettings;
  readonly access: AccessSettings;
  /** Of each caller whose key has none of its own. */
  readonly callerLimits: CallerLimits;
}

/** The environment without empty variables, which are absent ones. */
export function givenIn(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
}

/** Whether `settingsOf` will ask for checks. */
export function needsChecks(given: Environment, file: Checked<ConfigFile | undefined>): boolean {
  const isUnchecked = 'value' in file && file.value?.isChecked === false;
  const sections = [modelLoadingSection, circuitBreakerSection, admissionSection];
  const hasVariables = sections.some((section) => variablesFor(section, given).length > 0);
  return isUnchecked || hasVariables || CHECKED_VARIABLES.some((name) => given[name] !== undefined);
}

/**
 * The settings that the environment and the configuration file decide.
 * @param given without empty variables
 * @param checks asked for where there is a value that needs them
 * @throws SettingsInvalidError that names everything that is wrong, where it stands and what would be right.
 */
export function settingsOf(given: Environment, found: Checked<ConfigFile | undefined>, checks: () => Checks): Settings {
  const { values: e, wrong } = readVariables(environmentOf(checks), given);
  const models = wrong.size === 0 ? e.CASALINGUA_MODELS : [];
  const file = partsOf(found, given, checks);
  const modelLoading = readModelLoading(given, file, models, checks);
  const circuitBreaker = readSection(circuitBreakerSection, given, file, checks);
  const admission = readSection(admissionSection, given, file, checks);
  if (wrong.size > 0 || 'problems' in modelLoading || 'problems' in circuitBreaker || 'problems' in admission) {
    const sections = [modelLoading, circuitBreaker, admission];
    const inSections = sections.flatMap((read) => ('problems' in read ? read.problems : []));
    // What is wrong with the file is wrong for each section.
    throw new SettingsInvalidError([...new Set([...describe(wrong), ...inSections])].join('; '));
  }
  return {
    bucket: e.CASALINGUA_MODEL_BUCKET,
    table: e.CASALINGUA_TABLE,
    models: e.CASALINGUA_MODELS,
    pins: new Map(Object.entries(e.CASALINGUA_PINS)),
    fallbacks: new Map(Object.entries(e.CASALINGUA_FALLBACKS)),
    inferenceFunctions: e.CASALINGUA_INFERENCE_FUNCTIONS,
    cacheFolder: e.CASALINGUA_CACHE_FOLDER,
    cacheMb: e.CASALINGUA_CACHE_MB,
    threads: e.CASALINGUA_THREADS,
    ...(e.CASALINGUA_NUM_BEAMS === undefined ? {} : { numBeams: e.CASALINGUA_NUM_BEAMS }),
    warmUp: { onDemand: e.CASALINGUA_WARM_UP_ON_DEMAND, provisioned: e.CASALINGUA_WARM_UP_PROVISIONED },
    limits: {
      bodyBytes: e.CASALINGUA_LIMIT_BODY_BYTES,
      textCharacters: e.CASALINGUA_LIMIT_TEXT_CHARACTERS,
      batchTexts: e.CASALINGUA_LIMIT_BATCH_TEXTS,
      batchCharacters: e.CASALINGUA_LIMIT_BATCH_CHARACTERS,
      alternatives: e.CASALINGUA_LIMIT_ALTERNATIVES,
    },
    logLevel: e.CASALINGUA_LOG_LEVEL,
    storeTimeoutMs: e.CASALINGUA_STORE_TIMEOUT_MS,
    storeFirstTimeoutMs: e.CASALINGUA_STORE_FIRST_TIMEOUT_MS,
    catalogTtlMs: e.CASALINGUA_CATALOG_TTL_MS,
    fleetTtlMs: e.CASALINGUA_FLEET_TTL_MS,
    download: {
      partBytes: e.CASALINGUA_DOWNLOAD_PART_BYTES,
      concurrency: e.CASALINGUA_DOWNLOAD_CONCURRENCY,
      attempts: e.CASALINGUA_DOWNLOAD_ATTEMPTS,
      stallMs: e.CASALINGUA_DOWNLOAD_STALL_MS,
    },
    modelLoading: modelLoading.value,
    circuitBreaker: toCircuitBreakerSettings(circuitBreaker.value.json),
    admission: toAdmissionSettings(admission.value.json),
    access: toAccessSettings(e),
    callerLimits: toCallerLimits(e),
  };
}

function partsOf(
  found: Checked<ConfigFile | undefined>,
  given: Environment,
  checks: () => Checks,
): Checked<readonly FilePart[]> {
  if ('problems' in found) return found;
  return found.value === undefined ? { value: [] } : readConfigFile(found.value, given['CASALINGUA_STAGE'], checks);
}

function describe(wrong: ReadonlyMap<string, string>): readonly string[] {
  return [...wrong].map(([name, form]) => `${name} must be ${form}`);
}
