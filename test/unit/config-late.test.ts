import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKED_CONFIG_FILE_NAME, findConfigFile } from '../../shared/config/find-config-file.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { readSettingsLate } from '../../shared/config/read-settings-late.ts';
import { needsChecks } from '../../shared/config/settings.ts';

const required = { CASALINGUA_MODEL_BUCKET: 'weights', CASALINGUA_TABLE: 'fleet' };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casalingua-config-'));
  writeFileSync(join(folder, CHECKED_CONFIG_FILE_NAME), '{"model_loading":{"max_unload":7}}');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the settings of a start that counts', () => {
  it.each([
    ['nothing but what has to be there', {}],
    ['numbers, names and texts', { CASALINGUA_THREADS: '3', CASALINGUA_MODELS: 'a,b', CASALINGUA_LOG_LEVEL: 'warn' }],
    ['scopes', { CASALINGUA_ANONYMOUS_SCOPES: 'infer', CASALINGUA_IAM_SCOPES: 'infer, admin' }],
    ['pins', { CASALINGUA_PINS: '{"a":{"version":"1"}}' }],
    ['fallbacks', { CASALINGUA_FALLBACKS: '{"a":"b"}' }],
    ["tokens' scopes", { CASALINGUA_JWT_SCOPES: '{"mine":"admin"}' }],
    ['model loading', { CASALINGUA_MODEL_LOADING_PRELOAD_MODELS: 'a' }],
    ['breakers', { CASALINGUA_CIRCUIT_BREAKER_RULE: 'rate' }],
    ['admission', { CASALINGUA_ADMISSION_QUEUE_LIMIT: '7' }],
  ])('are the same with %s', async (_, variables) => {
    const env = { ...required, ...variables };
    const folderUrl = pathToFileURL(`${folder}/`);

    expect(await readSettingsLate(env, folderUrl)).toEqual(readSettings(env, folderUrl));
  });

  it('are the same with a file of its own', async () => {
    const named = join(folder, 'mine.jsonc');
    writeFileSync(named, '{"model_loading":{"max_unload":9,},}');
    const env = { ...required, CASALINGUA_CONFIG_FILE: named };

    expect((await readSettingsLate(env, pathToFileURL(`${folder}/`))).modelLoading.maxUnload).toBe(9);
  });

  it('tell the same of what is wrong', async () => {
    const env = { CASALINGUA_TABLE: 'fleet', CASALINGUA_PINS: '[', CASALINGUA_ADMISSION_QUEUE: '7' };
    const folderUrl = pathToFileURL(`${folder}/`);

    const told = await readSettingsLate(env, folderUrl).catch((error: unknown) => error);

    expect(told).toMatchObject({ code: 'SETTINGS_INVALID' });
    expect(() => readSettings(env, folderUrl)).toThrow((told as Error).message);
  });
});

it('an environment as a deployment makes it needs no schema', () => {
  const deployed = {
    ...required,
    CASALINGUA_STAGE: 'production',
    CASALINGUA_MODELS: 'translate-en-es,translate-es-en',
    CASALINGUA_CACHE_FOLDER: '/tmp/casalingua',
    CASALINGUA_CACHE_MB: '512',
    CASALINGUA_THREADS: '2',
    CASALINGUA_IAM_SCOPES: 'infer',
  };

  expect(needsChecks(deployed, findConfigFile(deployed, pathToFileURL(`${folder}/`)))).toBe(false);
});
