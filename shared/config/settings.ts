import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { LogLevel } from '../observability/log.ts';
import { type AccessSettings, accessForms, accessVariables, toAccessSettings, toCallerLimits } from './access.ts';
import type { AdmissionSettings } from './admission.ts';
import { admissionSection, toAdmissionSettings } from './admission-schema.ts';
import type { CallerLimits } from './caller-limits.ts';
import type { CircuitBreakerSettings } from './circuit-breaker.ts';
import { circuitBreakerSection, toCircuitBreakerSettings } from './circuit-breaker-schema.ts';
import { type FilePart, readConfigFile } from './config-file.ts';
import { SettingsInvalidError } from './errors.ts';
import { findConfigFile } from './find-config-file.ts';
import { MODEL_ID } from './model-id.ts';
import type { ModelLoadingSettings } from './model-loading.ts';
import { readModelLoading } from './read-model-loading.ts';
import { readSection } from './read-section.ts';
import type { Checked } from './section-source.ts';
import { whole, wholeNumber } from './whole-number.ts';

/** A version that this deployment names itself. */
export interface Pin {
  readonly version: string;
  /** True: always this version. False: only while the store cannot be read and nothing newer is known. */
  readonly hard: boolean;
}

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

/** What the environment and the configuration file decide; `readSettings` is the only reader of both. */
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

const MIB = 1024 * 1024;

const modelId = z.string().check(z.regex(MODEL_ID));

const modelIds = z.pipe(
  z._default(z.string(), ''),
  z.pipe(
    z.transform((text: string) => [...new Set(text.split(',').map((id) => id.trim()))].filter((id) => id !== '')),
    z.array(modelId),
  ),
);

const functionNames = z.pipe(
  z._default(z.string(), ''),
  z.pipe(
    z.transform((text: string) =>
      text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
    z.array(z.string().check(z.regex(/^[A-Za-z0-9:_-]{1,256}$/))),
  ),
);

const pins = z.pipe(
  z.pipe(z._default(z.string(), '{}'), z.transform(parseJson)),
  z.record(
    modelId,
    z.object({
      version: z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)),
      hard: z._default(z.boolean(), false),
    }),
  ),
);

const fallbacks = z.pipe(
  z.pipe(z._default(z.string(), '{}'), z.transform(parseJson)),
  z
    .record(modelId, modelId)
    .check(z.refine((names) => Object.entries(names).every(([model, fallback]) => model !== fallback))),
);

/** Anything that isn't JSON fails the check that follows. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const environment = z.object({
  CASALINGUA_MODEL_BUCKET: z.string({ error: 'the name of the S3 bucket that holds the models' }),
  CASALINGUA_TABLE: z.string({ error: "the name of the DynamoDB table of the fleet's state" }),
  CASALINGUA_MODELS: modelIds,
  CASALINGUA_PINS: pins,
  CASALINGUA_FALLBACKS: fallbacks,
  CASALINGUA_INFERENCE_FUNCTIONS: functionNames,
  CASALINGUA_CACHE_FOLDER: z._default(z.string(), () => join(tmpdir(), 'casalingua')),
  CASALINGUA_CACHE_MB: whole(512, 1, 1_000_000),
  CASALINGUA_THREADS: whole(1, 1, 64),
  CASALINGUA_NUM_BEAMS: z.optional(wholeNumber(1, 16)),
  CASALINGUA_WARM_UP_ON_DEMAND: whole(1, 1, 1000),
  CASALINGUA_WARM_UP_PROVISIONED: whole(40, 1, 1000),
  CASALINGUA_LIMIT_BODY_BYTES: whole(1_000_000, 1, 6 * MIB),
  CASALINGUA_LIMIT_TEXT_CHARACTERS: whole(10_000, 1, 6 * MIB),
  CASALINGUA_LIMIT_BATCH_TEXTS: whole(100, 1, 10_000),
  CASALINGUA_LIMIT_BATCH_CHARACTERS: whole(50_000, 1, 6 * MIB),
  CASALINGUA_LIMIT_ALTERNATIVES: whole(4, 0, 4),
  CASALINGUA_LOG_LEVEL: z._default(
    z.enum(['info', 'warn', 'error', 'silent'], { error: 'info, warn, error or silent' }),
    'info',
  ),
  CASALINGUA_STORE_TIMEOUT_MS: whole(100, 1, 60_000),
  CASALINGUA_STORE_FIRST_TIMEOUT_MS: whole(2_000, 1, 60_000),
  CASALINGUA_CATALOG_TTL_MS: whole(60_000, 0, 3_600_000),
  CASALINGUA_FLEET_TTL_MS: whole(5_000, 100, 60_000),
  CASALINGUA_DOWNLOAD_PART_BYTES: whole(8 * MIB, 64 * 1024, 1024 * MIB),
  CASALINGUA_DOWNLOAD_CONCURRENCY: whole(6, 1, 64),
  CASALINGUA_DOWNLOAD_ATTEMPTS: whole(5, 1, 20),
  CASALINGUA_DOWNLOAD_STALL_MS: whole(10_000, 100, 600_000),
  ...accessVariables,
});

/** Variables whose values have a form of their own, told as a whole rather than where inside they failed. */
const FORMS: Readonly<Record<string, string>> = {
  CASALINGUA_MODELS: 'model ids separated by commas, each of lower case letters, digits, . _ -',
  CASALINGUA_INFERENCE_FUNCTIONS: 'names or ARNs of Lambda functions separated by commas',
  CASALINGUA_PINS: 'JSON like {"translate-en-es":{"version":"1.0.0","hard":false}}',
  CASALINGUA_FALLBACKS: 'JSON like {"translate-en-es":"translate-en-es-small"}, each with another model',
  ...accessForms,
};

/**
 * Reads and checks the environment and the configuration file. An empty variable is an absent one.
 * @param configFolder where the configuration file lies if the environment names none; ends with a slash
 * @throws SettingsInvalidError that names everything that is wrong, where it stands and what would be right.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>, configFolder?: URL): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = environment.safeParse(given);
  const models = result.success ? result.data.CASALINGUA_MODELS : [];
  const file = readFile(given, configFolder);
  const modelLoading = readModelLoading(given, file, models);
  const circuitBreaker = readSection(circuitBreakerSection, given, file);
  const admission = readSection(admissionSection, given, file);
  if (!result.success || 'problems' in modelLoading || 'problems' in circuitBreaker || 'problems' in admission) {
    const wrong = result.success ? [] : describe(result.error.issues);
    const sections = [modelLoading, circuitBreaker, admission];
    const inSections = sections.flatMap((read) => ('problems' in read ? read.problems : []));
    // What is wrong with the file is wrong for each section.
    throw new SettingsInvalidError([...new Set([...wrong, ...inSections])].join('; '));
  }
  const e = result.data;
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

function readFile(
  env: Readonly<Record<string, string | undefined>>,
  folder: URL | undefined,
): Checked<readonly FilePart[]> {
  const file = findConfigFile(env, folder);
  if ('problems' in file) return file;
  return file.value === undefined ? { value: [] } : readConfigFile(file.value, env['CASALINGUA_STAGE']);
}

function describe(issues: readonly z.core.$ZodIssue[]): readonly string[] {
  const wrong = new Map(issues.map((issue) => [String(issue.path[0]), issue.message]));
  return [...wrong].map(([name, message]) => `${name} must be ${FORMS[name] ?? message}`);
}
