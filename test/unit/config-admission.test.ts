import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { servesManyAtOnce } from '../../shared/admission/serves-many.ts';
import { admissionSection } from '../../shared/config/admission-section.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { variablesOf } from '../../shared/config/section-variables.ts';

const required = { CASALINGUA_MODEL_BUCKET: 'weights', CASALINGUA_TABLE: 'fleet' };

describe('the configuration of admission', () => {
  it('is in ms, with defaults', () => {
    expect(readSettings(required).admission).toEqual({
      enabled: true,
      defaultWaitMs: 30_000,
      longestWaitMs: 30_000,
      standingWaitPercent: 50,
      overloadWaitPercent: 10,
      standingAfterMs: 1_000,
      queueLimit: 1_000,
      concurrency: 2,
      batching: { mode: 'auto', maxRows: 16, maxCharacters: 1_000, maxWaitMs: 2 },
    });
  });

  it('comes from the environment, too, and what is wrong there is told', () => {
    const env = { ...required, CASALINGUA_ADMISSION_BATCHING_MODE: 'off', CASALINGUA_ADMISSION_QUEUE_LIMIT: '5' };

    expect(readSettings(env).admission).toMatchObject({ queueLimit: 5, batching: { mode: 'off', maxRows: 16 } });
    expect(() => readSettings({ ...env, CASALINGUA_ADMISSION_BATCHING_MODE: 'never' })).toThrow(
      'CASALINGUA_ADMISSION_BATCHING_MODE must be auto, on or off',
    );
  });

  it('docs/configuration.md has every member, with its variable and its default', () => {
    const docs = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const { batching, ...flat } = admissionSection.defaults;
    const members = [
      ...Object.entries(flat),
      ...Object.entries(batching).map(([name, value]) => [`batching.${name}`, value] as const),
    ];

    for (const [name, value] of members) {
      const variable = name.toUpperCase().replace('.', '_');
      expect(docs).toMatch(new RegExp(`\\| \`${name}\` +\\| \`${variable}\` +\\| \`?${value}\`? +\\|`));
    }
    expect(members.map(([name]) => `CASALINGUA_ADMISSION_${name.toUpperCase().replace('.', '_')}`)).toEqual([
      ...variablesOf(admissionSection).keys(),
    ]);
  });
});

describe('requests meet', () => {
  it.each([
    ['outside Lambda', {}, true],
    ['not on Lambda', { AWS_LAMBDA_FUNCTION_NAME: 'inference' }, false],
    ['but on its managed instances', { AWS_LAMBDA_FUNCTION_NAME: 'inference', AWS_LAMBDA_MAX_CONCURRENCY: '64' }, true],
    ['and not where those take one', { AWS_LAMBDA_FUNCTION_NAME: 'inference', AWS_LAMBDA_MAX_CONCURRENCY: '1' }, false],
  ])('%s', (_where, env, meets) => {
    expect(servesManyAtOnce(env)).toBe(meets);
  });
});
