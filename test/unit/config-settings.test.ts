import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SettingsInvalidError } from '../../shared/config/errors.ts';
import { readSettings } from '../../shared/config/read-settings.ts';

const required = { CASALINGUA_MODEL_BUCKET: 'weights', CASALINGUA_TABLE: 'fleet' };

function failure(env: Record<string, string>): string {
  try {
    readSettings(env);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsInvalidError);
    return (error as Error).message;
  }
  throw new Error('the settings were accepted');
}

describe('readSettings', () => {
  it('needs only the bucket and the table', () => {
    const settings = readSettings(required);

    expect(settings).toMatchObject({
      bucket: 'weights',
      table: 'fleet',
      models: [],
      pins: new Map(),
      fallbacks: new Map(),
      cacheFolder: join(tmpdir(), 'casalingua'),
      cacheMb: 512,
      threads: 1,
      warmUp: { onDemand: 1, provisioned: 40 },
      limits: {
        bodyBytes: 1_000_000,
        textCharacters: 10_000,
        batchTexts: 100,
        batchCharacters: 50_000,
        alternatives: 4,
      },
      storeTimeoutMs: 100,
    });
    expect('numBeams' in settings).toBe(false);
  });

  it('reads every kind of value', () => {
    const settings = readSettings({
      ...required,
      CASALINGUA_MODELS: ' translate-es-en, language-detection,,translate-es-en ',
      CASALINGUA_PINS: '{"translate-es-en":{"version":"1.0.0"},"language-detection":{"version":"2","hard":true}}',
      CASALINGUA_FALLBACKS: '{"translate-es-en":"translate-es-en-small"}',
      CASALINGUA_NUM_BEAMS: '2',
      CASALINGUA_CACHE_MB: '64',
      CASALINGUA_WARM_UP_ON_DEMAND: '2',
      CASALINGUA_LIMIT_ALTERNATIVES: '0',
    });

    expect(settings.models).toEqual(['translate-es-en', 'language-detection']);
    expect(settings.pins.get('translate-es-en')).toEqual({ version: '1.0.0', hard: false });
    expect(settings.pins.get('language-detection')).toEqual({ version: '2', hard: true });
    expect(settings.fallbacks).toEqual(new Map([['translate-es-en', 'translate-es-en-small']]));
    expect(settings.numBeams).toBe(2);
    expect(settings.cacheMb).toBe(64);
    expect(settings.warmUp.onDemand).toBe(2);
    expect(settings.limits.alternatives).toBe(0);
  });

  it('takes an empty variable for an absent one', () => {
    expect(readSettings({ ...required, CASALINGUA_CACHE_MB: '' }).cacheMb).toBe(512);
    expect(failure({ ...required, CASALINGUA_TABLE: '' })).toContain('CASALINGUA_TABLE');
  });

  it('names every wrong variable at once and what would be right', () => {
    const message = failure({
      CASALINGUA_TABLE: 'fleet',
      CASALINGUA_THREADS: 'many',
      CASALINGUA_CACHE_MB: '1.5',
      CASALINGUA_PINS: '{"translate-es-en":"1.0.0"}',
      CASALINGUA_MODELS: 'good,../bad',
    });

    expect(message).toContain('CASALINGUA_MODEL_BUCKET must be the name of the S3 bucket');
    expect(message).toContain('CASALINGUA_THREADS must be a whole number from 1 to 64');
    expect(message).toContain('CASALINGUA_CACHE_MB must be a whole number from 1 to 1000000');
    expect(message).toContain('CASALINGUA_PINS must be JSON like');
    expect(message).toContain('CASALINGUA_MODELS must be model ids separated by commas');
  });

  it.each(['not json', '[]', '{"../x":{"version":"1"}}', '{"x":{"version":"1","hard":"yes"}}'])(
    'refuses the pins %s',
    (pins) => {
      expect(failure({ ...required, CASALINGUA_PINS: pins })).toContain('CASALINGUA_PINS must be JSON like');
    },
  );

  it.each(['not json', '[]', '"x"', '{"../x":"y"}', '{"x":"../y"}', '{"x":{"y":"z"}}', '{"x":"x"}'])(
    'refuses the fallbacks %s',
    (fallbacks) => {
      expect(failure({ ...required, CASALINGUA_FALLBACKS: fallbacks })).toContain(
        'CASALINGUA_FALLBACKS must be JSON like',
      );
    },
  );

  it.each(['0', '-1', '65', '1.5', 'NaN', 'Infinity', ' '])('refuses %s threads', (threads) => {
    expect(failure({ ...required, CASALINGUA_THREADS: threads })).toContain('CASALINGUA_THREADS');
  });

  it.each(['CASALINGUA_WARM_UP_ON_DEMAND', 'CASALINGUA_WARM_UP_PROVISIONED'])(
    'refuses 0 for %s: a model is ready after one real inference at least',
    (name) => {
      expect(failure({ ...required, [name]: '0' })).toContain(`${name} must be a whole number from 1`);
    },
  );
});

describe('who may do what', () => {
  it('is nobody without a key, unless it is said; a token says it by names of its own', () => {
    expect(readSettings(required).access).toEqual({
      anonymousScopes: [],
      jwtScopes: new Map([
        ['casalingua/infer', 'infer'],
        ['casalingua/read', 'read'],
        ['casalingua/admin', 'admin'],
      ]),
      iamScopes: [],
      keyTtlMs: 60_000,
      trustedProxies: 0,
    });
  });

  it('is said by names, separated by commas, or as JSON', () => {
    const { access } = readSettings({
      ...required,
      CASALINGUA_ANONYMOUS_SCOPES: 'infer, read',
      CASALINGUA_IAM_SCOPES: 'admin',
      CASALINGUA_JWT_SCOPES: '{"texts:translate":"infer"}',
    });
    expect(access).toMatchObject({ anonymousScopes: ['infer', 'read'], iamScopes: ['admin'] });
    expect(access.jwtScopes).toEqual(new Map([['texts:translate', 'infer']]));
  });

  it('is as much as anybody likes, unless there is a limit for each caller', () => {
    expect(readSettings(required).callerLimits).toEqual({});
    const given = { CASALINGUA_LIMIT_REQUESTS_PER_MINUTE: '60', CASALINGUA_LIMIT_CHARACTERS_PER_MINUTE: '5000' };
    expect(readSettings({ ...required, ...given }).callerLimits).toEqual({
      requestsPerMinute: 60,
      charactersPerMinute: 5_000,
    });
  });

  it.each([
    ['CASALINGUA_LIMIT_REQUESTS_PER_MINUTE', '0'],
    ['CASALINGUA_ANONYMOUS_SCOPES', 'admin'],
    ['CASALINGUA_ANONYMOUS_SCOPES', 'infer,everything'],
    ['CASALINGUA_IAM_SCOPES', 'root'],
    ['CASALINGUA_JWT_SCOPES', '{"x":"root"}'],
    ['CASALINGUA_JWT_SCOPES', 'infer'],
  ])('is refused as %s=%s', (name, value) => {
    expect(failure({ ...required, [name]: value })).toContain(`${name} must be `);
  });
});
