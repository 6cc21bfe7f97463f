import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admissionDefaults } from '../../shared/config/admission-section.ts';
import { circuitBreakerDefaults } from '../../shared/config/circuit-breaker-section.ts';
import { SettingsInvalidError } from '../../shared/config/errors.ts';
import { CHECKED_CONFIG_FILE_NAME, findConfigFile } from '../../shared/config/find-config-file.ts';
import { MODEL_ID } from '../../shared/config/model-id.ts';
import { modelLoadingDefaults, modelLoadingSection } from '../../shared/config/model-loading-section.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { variablesOf } from '../../shared/config/section-variables.ts';
import { modelIdSchema } from '../../shared/repository/manifest-schema.ts';

const required = { CASALINGUA_MODEL_BUCKET: 'weights', CASALINGUA_TABLE: 'fleet' };
const shipped = new URL('../../shared/config/', import.meta.url);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casalingua-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Given {
  /** The content of the configuration file; absent: there is none. */
  readonly file?: unknown;
  /** The same as text. */
  readonly text?: string;
  readonly env?: Record<string, string>;
}

function read({ file, text = JSON.stringify(file), env }: Given) {
  if (text !== undefined) writeFileSync(join(folder, 'model-loading.jsonc'), text);
  return readSettings({ ...required, ...env }, pathToFileURL(`${folder}/`)).modelLoading;
}

/** Everything that is wrong, one line each. */
function problems(given: Given): string[] {
  try {
    read(given);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsInvalidError);
    return (error as Error).message.split('; ');
  }
  throw new Error('the settings were accepted');
}

const inFile = (modelLoading: unknown) => ({ file: { model_loading: modelLoading } });

describe('the defaults', () => {
  it('are these, in ms and MB', () => {
    expect(readSettings(required).modelLoading).toEqual({
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
      retry: { maxAttempts: 3, backoffFactor: 2, initialMs: 1_000, maxMs: 60_000, cooldownMs: 30_000 },
      memoryProtection: { enabled: true, minimumRequiredMb: undefined, limitMb: undefined, watermarkPercent: 95 },
      idleUnloadMs: 1_800_000,
      maxUnload: 2,
      sweepIntervalMs: 60_000,
      minimumResidencyMs: 60_000,
      drainTimeoutMs: 30_000,
      keepAliveAllowed: true,
    });
  });

  it('are what the file that comes with the project says, member by member', () => {
    const text = readFileSync(new URL('model-loading.jsonc', shipped), 'utf8');
    const bare = text.replaceAll(/\/\/.*$/gm, '').replaceAll(/,(\s*[}\]])/g, '$1');

    expect(JSON.parse(bare)).toEqual({
      model_loading: modelLoadingDefaults,
      circuit_breaker: circuitBreakerDefaults,
      admission: admissionDefaults,
    });
    expect(readSettings(required, shipped).modelLoading).toEqual(readSettings(required).modelLoading);
  });

  it.each(['inference', 'control', 'monitor'])('lie beside the code of %s, checked', (name) => {
    const bundle = new URL(`../../build/functions/${name}/`, import.meta.url);

    expect(findConfigFile({}, bundle)).toMatchObject({ value: { name: 'model-loading.jsonc', isChecked: true } });
    expect(readSettings(required, bundle)).toEqual(readSettings(required, shipped));
  });

  it('hold without a file, unless one was named', () => {
    expect(read({})).toEqual(readSettings(required).modelLoading);
    expect(problems({ env: { CASALINGUA_CONFIG_FILE: join(folder, 'mine.json') } })).toEqual([
      `CASALINGUA_CONFIG_FILE must be a file that can be read: ${join(folder, 'mine.json')} (ENOENT)`,
    ]);
  });
});

it('docs/configuration.md has every member, with its variable and its default', () => {
  const docs = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const { retry, memory_protection: memory, ...others } = modelLoadingDefaults;
  const told = (path: string, value: unknown) =>
    new RegExp(
      `\\| \`${path}\` +\\| \`${path.replace('.', '_').toUpperCase()}\` +\\| \`?${valueInDocs(value)}\`? +\\|`,
    );
  const valueInDocs = (value: unknown) => (Array.isArray(value) ? '\\[\\]' : String(value));

  for (const [name, value] of Object.entries(others)) expect(docs).toMatch(told(name, value));
  for (const [name, value] of Object.entries(retry)) expect(docs).toMatch(told(`retry.${name}`, value));
  for (const [name, value] of Object.entries(memory)) expect(docs).toMatch(told(`memory_protection.${name}`, value));
  for (const name of variablesOf(modelLoadingSection).keys()) {
    expect(docs).toContain(`| \`${name.replace('CASALINGUA_MODEL_LOADING_', '')}\``);
  }
});

describe('the file', () => {
  it('may have comments and trailing commas', () => {
    const text = '\uFEFF// first\n{ "model_loading": { /* why */ "max_unload": 7, }, }';

    expect(read({ text }).maxUnload).toBe(7);
  });

  it('is read as it was checked where it was bundled, under its own name', () => {
    writeFileSync(
      join(folder, CHECKED_CONFIG_FILE_NAME),
      JSON.stringify({ model_loading: { max_unload: 7 }, stages: { test: { model_loading: { queue_limit: 3 } } } }),
    );

    expect(read({ env: { CASALINGUA_STAGE: 'test' } })).toMatchObject({ maxUnload: 7, queueLimit: 3 });
    expect(problems({ env: { CASALINGUA_STAGE: 'production' } })).toEqual([
      'CASALINGUA_STAGE must be one of the stages of model-loading.jsonc: test',
    ]);
  });

  it("is the one that is named rather than the functions' own", () => {
    const named = join(folder, 'mine.json');
    writeFileSync(named, '{"model_loading":{"max_unload":9}}');

    const settings = read({ ...inFile({ max_unload: 7, queue_limit: 3 }), env: { CASALINGUA_CONFIG_FILE: named } });

    expect(settings).toMatchObject({ maxUnload: 9, queueLimit: 16 });
  });

  it.each([
    ['{\n  "model_loading": {\n    "max_unload" 7\n  }\n}', 'colon expected at line 3, column 18'],
    ['', 'value expected at line 1, column 1'],
    ['{"model_loading":{}} {}', 'end of file expected at line 1, column 22'],
  ])('that is not JSON says where: %j', (text, where) => {
    expect(problems({ text })).toEqual([`model-loading.jsonc must be JSON: ${where}`]);
  });

  it('gives no member twice, since only one of the values could hold', () => {
    const text = '{"model_loading":{"retry":{"max_attempts":1,"max_attempts":2}}}';

    expect(problems({ text })).toEqual(['model-loading.jsonc: model_loading.retry.max_attempts must be given once']);
  });

  it('has no unknown members, at any depth', () => {
    const file = { model_loadin: {}, model_loading: { lod_timeout: 3, retry: { attempts: 3 } } };

    const found = problems({ file });

    expect(found).toHaveLength(3);
    expect(found).toContainEqual(expect.stringMatching(/^model-loading.jsonc: model_loadin is not a setting, unlike /));
    expect(found).toContainEqual(
      expect.stringContaining('model_loading.lod_timeout is not a setting, unlike strategy, '),
    );
    expect(found).toContain(
      'model-loading.jsonc: model_loading.retry.attempts is not a setting, unlike max_attempts, backoff_factor, initial_seconds, max_seconds, cooldown_seconds',
    );
  });

  it.each([[[]], ['lazy'], [null], [3]])('is an object, unlike %j', (file) => {
    expect(problems({ file })).toEqual(['model-loading.jsonc: the file must be an object']);
  });

  it('cannot change what objects inherit', () => {
    const found = problems({ text: '{"model_loading":{"__proto__":{"strategy":"eager"}}}' });

    expect(found).toEqual([expect.stringContaining('model_loading.__proto__ is not a setting')]);
  });
});

describe('the merge', () => {
  const file = {
    model_loading: {
      preload_models: ['a', 'b'],
      queue_limit: 20,
      max_unload: 20,
      retry: { max_attempts: 7, initial_seconds: 7, cooldown_seconds: 7 },
    },
    stages: {
      production: {
        model_loading: { preload_models: ['c'], max_unload: 30, retry: { initial_seconds: 8, cooldown_seconds: 8 } },
      },
      test: { model_loading: { max_unload: 40 } },
      empty: {},
    },
  };

  it('takes the environment over the stage over the file over the defaults, member by member', () => {
    const settings = read({
      file,
      env: { CASALINGUA_STAGE: 'production', CASALINGUA_MODEL_LOADING_RETRY_COOLDOWN_SECONDS: '9' },
    });

    expect(settings).toMatchObject({ sweepIntervalMs: 60_000, queueLimit: 20, maxUnload: 30 });
    expect(settings.retry).toEqual({
      backoffFactor: 2,
      maxAttempts: 7,
      initialMs: 8_000,
      cooldownMs: 9_000,
      maxMs: 60_000,
    });
  });

  it('replaces lists as a whole', () => {
    expect(read({ file }).preloadModels).toEqual(['a', 'b']);
    expect(read({ file, env: { CASALINGUA_STAGE: 'production' } }).preloadModels).toEqual(['c']);
    expect(read({ file, env: { CASALINGUA_MODEL_LOADING_PRELOAD_MODELS: ',' } }).preloadModels).toEqual([]);
  });

  it('takes no stage that was not chosen', () => {
    expect(read({ file }).maxUnload).toBe(20);
    expect(read({ file, env: { CASALINGUA_STAGE: 'empty' } }).maxUnload).toBe(20);
    expect(read({ file, env: { CASALINGUA_STAGE: 'test' } }).maxUnload).toBe(40);
  });

  it('wants the chosen stage in a file that has stages, and in no other', () => {
    const env = { CASALINGUA_STAGE: 'staging' };

    expect(problems({ file, env })).toEqual([
      'CASALINGUA_STAGE must be one of the stages of model-loading.jsonc: production, test, empty',
    ]);
    expect(problems({ file, env: { CASALINGUA_STAGE: 'constructor' } })).toHaveLength(1);
    expect(read({ file: {}, env })).toEqual(read({}));
  });

  it('checks every stage, whichever is chosen', () => {
    const stages = { test: { model_loading: { max_unload: -1 } }, production: {} };

    expect(problems({ file: { stages }, env: { CASALINGUA_STAGE: 'production' } })).toEqual([
      'model-loading.jsonc: stages.test.model_loading.max_unload must be a whole number from 0 to 1000',
    ]);
  });
});

describe('the environment', () => {
  it('has one variable for every member, named after its path', () => {
    const leaves = (value: object, path: string[]): string[] =>
      Object.entries(value).flatMap(([name, member]) =>
        typeof member === 'object' && !Array.isArray(member)
          ? leaves(member, [...path, name])
          : [[...path, name].join('_').toUpperCase()],
      );
    const withoutDefault = ['MEMORY_PROTECTION_MINIMUM_REQUIRED', 'MEMORY_PROTECTION_LIMIT_MB'];
    const expected = [...leaves(modelLoadingDefaults, []), ...withoutDefault].map(
      (name) => `CASALINGUA_MODEL_LOADING_${name}`,
    );

    expect([...variablesOf(modelLoadingSection).keys()].toSorted()).toEqual(expected.toSorted());
  });

  it('gives every kind of value', () => {
    const settings = read({
      env: {
        CASALINGUA_MODEL_LOADING_STRATEGY: 'on_demand',
        CASALINGUA_MODEL_LOADING_PRELOAD_MODELS: ' translate-en-es, language-detection,,translate-en-es ',
        CASALINGUA_MODEL_LOADING_LOAD_TIMEOUT: '0.5',
        CASALINGUA_MODEL_LOADING_QUEUE_ENABLED: 'false',
        CASALINGUA_MODEL_LOADING_CANCEL_UNWANTED_LOADS: 'true',
        CASALINGUA_MODEL_LOADING_RETRY_MAX_ATTEMPTS: '5',
        CASALINGUA_MODEL_LOADING_MEMORY_PROTECTION_MINIMUM_REQUIRED: '100',
        CASALINGUA_MODEL_LOADING_MEMORY_PROTECTION_LIMIT_MB: '1024',
      },
    });

    expect(settings).toMatchObject({
      strategy: 'on_demand',
      preloadModels: ['translate-en-es', 'language-detection'],
      loadTimeoutMs: 500,
      queueEnabled: false,
      cancelUnwantedLoads: true,
      retry: { maxAttempts: 5 },
      memoryProtection: { minimumRequiredMb: 100, limitMb: 1024 },
    });
  });

  it('leaves what is empty as it was', () => {
    const env = { CASALINGUA_MODEL_LOADING_MAX_UNLOAD: '', CASALINGUA_STAGE: '', CASALINGUA_CONFIG_FILE: '' };

    expect(read({ ...inFile({ max_unload: 7 }), env }).maxUnload).toBe(7);
  });

  it('has no unknown variable of model loading', () => {
    expect(problems({ env: { CASALINGUA_MODEL_LOADING_RETRY_ATTEMPTS: '3' } })).toEqual([
      'CASALINGUA_MODEL_LOADING_RETRY_ATTEMPTS is not a setting: docs/configuration.md has them all',
    ]);
  });

  it.each([
    ['STRATEGY', 'greedy', 'eager, lazy or on_demand'],
    ['MAX_UNLOAD', 'two', 'a whole number from 0 to 1000'],
    ['MAX_UNLOAD', ' ', 'a whole number from 0 to 1000'],
    ['MAX_UNLOAD', '1.5', 'a whole number from 0 to 1000'],
    ['LOAD_TIMEOUT', 'Infinity', 'a number from 0.1 to 86400'],
    ['LOAD_TIMEOUT', '300s', 'a number from 0.1 to 86400'],
    ['QUEUE_ENABLED', 'yes', 'true or false'],
    ['RETRY_BACKOFF_FACTOR', '0.5', 'a number from 1 to 10'],
    ['MEMORY_PROTECTION_WATERMARK_PERCENT', '101', 'a number from 1 to 100'],
  ])('says what would be right for %s=%j', (name, value, right) => {
    expect(problems({ env: { [`CASALINGUA_MODEL_LOADING_${name}`]: value } })).toEqual([
      `CASALINGUA_MODEL_LOADING_${name} must be ${right}`,
    ]);
  });

  it('takes no id that could not be one', () => {
    expect(problems({ env: { CASALINGUA_MODEL_LOADING_PRELOAD_MODELS: 'good,../bad,Worse' } })).toEqual([
      'each of CASALINGUA_MODEL_LOADING_PRELOAD_MODELS must be a model id: lower case letters, digits, . _ -',
    ]);
  });
});

describe('wrong values', () => {
  it.each([
    [{ strategy: 'greedy' }, 'strategy must be eager, lazy or on_demand'],
    [{ load_timeout: '300' }, 'load_timeout must be a number from 0.1 to 86400'],
    [{ load_timeout: 0 }, 'load_timeout must be a number from 0.1 to 86400'],
    [{ queue_limit: 0 }, 'queue_limit must be a whole number from 1 to 10000'],
    [{ queue_limit: 1.5 }, 'queue_limit must be a whole number from 1 to 10000'],
    [{ queue_enabled: 'true' }, 'queue_enabled must be true or false'],
    [{ preload_models: 'a' }, 'preload_models must be a list of model ids'],
    [{ preload_models: ['a', '../b'] }, 'preload_models.1 must be a model id: lower case letters, digits, . _ -'],
    [{ always_loaded_models: [3] }, 'always_loaded_models.0 must be a model id: lower case letters, digits, . _ -'],
    [{ retry: 3 }, 'retry must be an object'],
    [{ retry: { max_attempts: null } }, 'retry.max_attempts must be a whole number from 1 to 20'],
    [{ memory_protection: [] }, 'memory_protection must be an object'],
  ])('in the file are named with their place: %j', (modelLoading, problem) => {
    expect(problems(inFile(modelLoading))).toEqual([`model-loading.jsonc: model_loading.${problem}`]);
  });

  it('are named all at once, with those of the other settings', () => {
    const env = {
      CASALINGUA_THREADS: 'many',
      CASALINGUA_MODEL_LOADING_MAX_UNLOAD: 'two',
      CASALINGUA_MODEL_LOADING_SWEEP_SECONDS: '-1',
    };

    expect(problems({ ...inFile({ strategy: 'greedy', retry: { max_attempts: 0 } }), env })).toEqual([
      'CASALINGUA_THREADS must be a whole number from 1 to 64',
      'model-loading.jsonc: model_loading.strategy must be eager, lazy or on_demand',
      'model-loading.jsonc: model_loading.retry.max_attempts must be a whole number from 1 to 20',
      'CASALINGUA_MODEL_LOADING_MAX_UNLOAD must be a whole number from 0 to 1000',
      'CASALINGUA_MODEL_LOADING_SWEEP_SECONDS must be a number from 0.1 to 86400',
    ]);
  });
});

describe('values that contradict each other', () => {
  it('are both named where they were given', () => {
    const env = { CASALINGUA_MODEL_LOADING_RETRY_INITIAL_SECONDS: '20' };

    expect(problems({ ...inFile({ retry: { max_seconds: 10 } }), env })).toEqual([
      'CASALINGUA_MODEL_LOADING_RETRY_INITIAL_SECONDS (20) must be at most model-loading.jsonc: model_loading.retry.max_seconds (10)',
    ]);
  });

  it('may contradict a default', () => {
    expect(problems(inFile({ retry: { initial_seconds: 61 } }))).toEqual([
      'model-loading.jsonc: model_loading.retry.initial_seconds (61) must be at most the default of model_loading.retry.max_seconds (60)',
    ]);
  });

  it('leave memory for models', () => {
    const memory = { minimum_required: 512, limit_mb: 512 };

    expect(problems(inFile({ memory_protection: memory }))).toEqual([
      'model-loading.jsonc: model_loading.memory_protection.minimum_required (512) must be less than model-loading.jsonc: model_loading.memory_protection.limit_mb (512)',
    ]);
    expect(read(inFile({ memory_protection: { ...memory, limit_mb: 513 } })).memoryProtection.limitMb).toBe(513);
  });

  it('name models to keep that are not served', () => {
    const lists = inFile({ preload_models: ['a', 'b'], always_loaded_models: ['c'] });

    expect(problems({ ...lists, env: { CASALINGUA_MODELS: 'a' } })).toEqual([
      'model-loading.jsonc: model_loading.preload_models must name models that CASALINGUA_MODELS serves, unlike b',
      'model-loading.jsonc: model_loading.always_loaded_models must name models that CASALINGUA_MODELS serves, unlike c',
    ]);
    expect(read({ ...lists, env: { CASALINGUA_MODELS: 'c,b,a' } }).preloadModels).toEqual(['a', 'b']);
    expect(read(lists).preloadModels).toEqual(['a', 'b']);
  });

  it('a silence longer than the whole time is none: it never comes to an end', () => {
    expect(read(inFile({ load_timeout: 30 }))).toMatchObject({ loadTimeoutMs: 30_000, loadStallMs: 60_000 });
  });
});

it.each(['a', '9.x_y-z', 'A', '../a', '', 'ä', `${'a'.repeat(63)}`, `${'a'.repeat(64)}`])(
  'the form of an id is the manifests own: %j',
  (id) => {
    expect(MODEL_ID.test(id)).toBe(modelIdSchema.safeParse(id).success);
  },
);
