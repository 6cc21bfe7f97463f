import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { circuitBreakerDefaults, circuitBreakerSection } from '../../shared/config/circuit-breaker-section.ts';
import { SettingsInvalidError } from '../../shared/config/errors.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { variablesOf } from '../../shared/config/section-variables.ts';
import { breakerSettings } from '../support/breaker-settings.ts';

const required = { CASALINGUA_MODEL_BUCKET: 'weights', CASALINGUA_TABLE: 'fleet' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casalingua-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(file: unknown, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'model-loading.jsonc'), JSON.stringify(file));
  return readSettings({ ...required, ...env }, pathToFileURL(`${folder}/`));
}

function problems(file: unknown, env: Record<string, string> = {}): readonly string[] {
  try {
    read(file, env);
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsInvalidError);
    return (error as Error).message.split('; ');
  }
  throw new Error('the settings were accepted');
}

describe('the configuration of circuit breakers', () => {
  it("is the plan's by default: five failures in a row, 300 s", () => {
    expect(readSettings(required).circuitBreaker).toEqual(breakerSettings());
  });

  it('comes from the file, its stage and the environment, member by member', () => {
    const file = {
      circuit_breaker: { failure_threshold: 3, reset_timeout: 60, ramp_seconds: 0 },
      stages: { production: { circuit_breaker: { reset_timeout: 30.5 } } },
    };
    const env = { CASALINGUA_STAGE: 'production', CASALINGUA_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '2' };

    expect(read(file, env).circuitBreaker).toEqual(
      breakerSettings({ failureThreshold: 2, resetMs: 30_500, rampMs: 0 }),
    );
  });

  it('names what is wrong by its place, with what is wrong in the other section, each once', () => {
    const file = {
      circuit_breaker: { failure_threshold: 0, rule: 'never', treshold: 5 },
      model_loading: { max_unload: -1 },
    };

    expect(problems(file, { CASALINGUA_CIRCUIT_BREAKER_RESET: '5' }).toSorted()).toEqual(
      [
        'CASALINGUA_CIRCUIT_BREAKER_RESET is not a setting: docs/configuration.md has them all',
        'model-loading.jsonc: circuit_breaker.failure_threshold must be a whole number from 1 to 1000000',
        'model-loading.jsonc: circuit_breaker.rule must be consecutive or rate',
        `model-loading.jsonc: circuit_breaker.treshold is not a setting, unlike ${Object.keys(circuitBreakerDefaults).join(', ')}`,
        'model-loading.jsonc: model_loading.max_unload must be a whole number from 0 to 1000',
      ].toSorted(),
    );
  });

  it('docs/configuration.md has every member, with its variable and its default', () => {
    const docs = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

    for (const [name, value] of Object.entries(circuitBreakerDefaults)) {
      expect(docs).toMatch(new RegExp(`\\| \`${name}\` +\\| \`${name.toUpperCase()}\` +\\| \`?${value}\`? +\\|`));
    }
    expect([...variablesOf(circuitBreakerSection).keys()]).toEqual(
      Object.keys(circuitBreakerDefaults).map((name) => `CASALINGUA_CIRCUIT_BREAKER_${name.toUpperCase()}`),
    );
  });
});
