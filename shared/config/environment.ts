import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessVariables } from './access.ts';
import type { Checks } from './checks.ts';
import { MODEL_ID } from './model-id.ts';
import { anyText, names, oneOf, optionalWhole, type Variable, whole } from './variables.ts';

const MIB = 1024 * 1024;

const modelIds = names(
  (name): name is string => MODEL_ID.test(name),
  'model ids separated by commas, each of lower case letters, digits, . _ -',
);

const functionNames = names(
  (name): name is string => /^[A-Za-z0-9:_-]{1,256}$/.test(name),
  'names or ARNs of Lambda functions separated by commas',
);

/** It has to be there. */
function named(form: string): Variable<string> {
  return anyText(() => ({ wrong: form }));
}

/** The variables that decide on the settings, but for those of sections; docs/configuration.md. */
export function environmentOf(checks: () => Checks) {
  return {
    CASALINGUA_MODEL_BUCKET: named('the name of the S3 bucket that holds the models'),
    CASALINGUA_TABLE: named("the name of the DynamoDB table of the fleet's state"),
    CASALINGUA_MODELS: modelIds,
    CASALINGUA_PINS: { read: (text: string) => checks().pins(text), absent: () => ({ value: {} }) },
    CASALINGUA_FALLBACKS: { read: (text: string) => checks().fallbacks(text), absent: () => ({ value: {} }) },
    CASALINGUA_INFERENCE_FUNCTIONS: functionNames,
    CASALINGUA_CACHE_FOLDER: anyText(() => ({ value: join(tmpdir(), 'casalingua') })),
    CASALINGUA_CACHE_MB: whole(512, 1, 1_000_000),
    CASALINGUA_THREADS: whole(1, 1, 64),
    CASALINGUA_NUM_BEAMS: optionalWhole(1, 16),
    CASALINGUA_WARM_UP_ON_DEMAND: whole(1, 1, 1000),
    CASALINGUA_WARM_UP_PROVISIONED: whole(40, 1, 1000),
    CASALINGUA_LIMIT_BODY_BYTES: whole(1_000_000, 1, 6 * MIB),
    CASALINGUA_LIMIT_TEXT_CHARACTERS: whole(10_000, 1, 6 * MIB),
    CASALINGUA_LIMIT_BATCH_TEXTS: whole(100, 1, 10_000),
    CASALINGUA_LIMIT_BATCH_CHARACTERS: whole(50_000, 1, 6 * MIB),
    CASALINGUA_LIMIT_ALTERNATIVES: whole(4, 0, 4),
    CASALINGUA_LOG_LEVEL: oneOf(['info', 'warn', 'error', 'silent'], 'info, warn, error or silent'),
    CASALINGUA_STORE_TIMEOUT_MS: whole(100, 1, 60_000),
    CASALINGUA_STORE_FIRST_TIMEOUT_MS: whole(2_000, 1, 60_000),
    CASALINGUA_CATALOG_TTL_MS: whole(60_000, 0, 3_600_000),
    CASALINGUA_FLEET_TTL_MS: whole(5_000, 100, 60_000),
    CASALINGUA_DOWNLOAD_PART_BYTES: whole(8 * MIB, 64 * 1024, 1024 * MIB),
    CASALINGUA_DOWNLOAD_CONCURRENCY: whole(6, 1, 64),
    CASALINGUA_DOWNLOAD_ATTEMPTS: whole(5, 1, 20),
    CASALINGUA_DOWNLOAD_STALL_MS: whole(10_000, 100, 600_000),
    ...accessVariables(checks),
  };
}

/** Those whose values only `Checks` can read. */
export const CHECKED_VARIABLES: readonly string[] = [
  'CASALINGUA_PINS',
  'CASALINGUA_FALLBACKS',
  'CASALINGUA_JWT_SCOPES',
];
