import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { StageConfigError, type StageInput } from '../../infra/config.ts';
import { routes } from '../../infra/routes.ts';
import { addService } from '../../infra/stack/add-service.ts';
import { checkedAssetMb } from '../../infra/stack/asset-size.ts';
import { threadsFor } from '../../infra/stack/function-resources.ts';
import { readModelNeeds } from '../../infra/stack/model-needs.ts';
import { preloadProblem } from '../../infra/stack/preload-check.ts';
import { accessTo } from '../../infra/stack/route-access.ts';
import { readStageConfig, stages } from '../../infra/stages.ts';
import { assemblyFolder, context, groupsWith, placeholderCode, shippedNeeds } from './support/synthesise.ts';

const names = ['dev', 'staging', 'production'] as const;

/** What is said of production with these changes; undefined: nothing. */
function complaint(changes: Readonly<Partial<Record<keyof StageInput, unknown>>>): string | undefined {
  try {
    readStageConfig('production', changes);
    return undefined;
  } catch (error) {
    if (error instanceof StageConfigError) return error.message;
    throw error;
  }
}

describe('the configuration of a stage', () => {
  it.each(names)('of %s is right as it stands', (name) => {
    expect(readStageConfig(name).stage).toBe(name);
  });

  it('says which stages there are, to who names none or another', () => {
    expect(() => readStageConfig(undefined)).toThrow('-c stage= must be one of dev, staging, production');
    expect(() => readStageConfig('prod')).toThrow('-c stage= must be one of dev, staging, production, not "prod"');
  });

  it('lets nobody in without saying who they are, in any stage', () => {
    for (const name of names) expect(JSON.stringify(readStageConfig(name))).not.toContain('ANONYMOUS');
  });

  it('names every wrong value, where it stands', () => {
    const groups = groupsWith('production', 'translation', { memoryMb: 64 });

    const said = complaint({ groups, architecture: 'mips', logRetentionDays: 5, more: 1 } as object);

    expect(said).toMatch(/groups\.translation\.memoryMb: .*128/);
    expect(said).toMatch(/architecture: .*arm64/);
    expect(said).toMatch(/logRetentionDays: /);
    expect(said).toMatch(/more/);
  });

  it.each<[string, () => Readonly<Partial<Record<keyof StageInput, unknown>>>, RegExp]>([
    [
      'a route that two groups serve',
      () => ({ groups: groupsWith('production', 'detection', { routes: ['/detect', '/translate'] }) }),
      /\/translate must be served by one group, not 2/,
    ],
    [
      'a route that no group serves',
      () => ({ groups: groupsWith('production', 'translation', { routes: ['/translate', '/pipeline/{proxy+}'] }) }),
      /\/languages must be served by one group, not 0/,
    ],
    [
      "another function's route",
      () => ({ groups: groupsWith('production', 'detection', { routes: ['/detect', '/health'] }) }),
      /detection\.routes: are not inference routes: \/health/,
    ],
    [
      'a preload that the group does not serve',
      () => ({ groups: groupsWith('production', 'detection', { preload: ['translate-en-es'] }) }),
      /detection\.preload: names models that the group does not serve: translate-en-es/,
    ],
    [
      'fewer reserved than provisioned instances',
      () => ({ groups: groupsWith('production', 'translation', { reservedConcurrency: 10 }) }),
      /translation\.reservedConcurrency: must be at least the 50/,
    ],
    [
      'bounds the wrong way round',
      () => ({ groups: groupsWith('production', 'translation', { provisioned: { min: 3, max: 2 } }) }),
      /min must not be above max/,
    ],
    [
      'a limit for a route that is none',
      () => ({ throttling: { everywhere: { rate: 1, burst: 1 }, routes: { '/translat': { rate: 1, burst: 1 } } } }),
      /throttling\.routes\.\/translat: is not a route/,
    ],
    [
      'a target for a route that is none',
      () => ({ alarms: { ...stages.production.alarms, p99Ms: { '/translat': 1 } } }),
      /alarms\.p99Ms\.\/translat: is not a route/,
    ],
    ['a budget that nobody is told of', () => ({ monthlyBudgetUsd: 10 }), /monthlyBudgetUsd: needs somebody to tell/],
    ['a key without a region', () => ({ encryption: 'customer-key' }), /region: must be given with a customer-key/],
    [
      'an issuer without TLS',
      () => ({
        authorization: {
          callers: { kind: 'jwt', issuer: 'http://issuer.example', audience: ['x'] },
          operators: { kind: 'none' },
        },
      }),
      /authorization\.callers\.issuer/,
    ],
  ])('refuses %s', (_, changes, said) => {
    expect(complaint(changes())).toMatch(said);
  });
});

describe('what a function preloads', () => {
  const group = (memoryMb: number, preload: readonly string[], cacheMb = 512) => ({
    memoryMb,
    preload: [...preload],
    cacheMb,
  });
  const all = [...shippedNeeds.keys()];

  it('fits when all are ready, but one that is at its peak, beside the process and what stays free', () => {
    // 725 MB resident, 10 MB of rise, 160 MB of process, 15 %.
    expect(preloadProblem('translation', group(1054, all), shippedNeeds)).toBeUndefined();
    expect(preloadProblem('translation', group(1052, all), shippedNeeds)).toMatch(
      /^translation has 1052 MB of memory, .* needs 735 MB: language-detection \(105 MB, 110 MB while it loads\), translate-en-es/,
    );
  });

  it('must be known', () => {
    expect(preloadProblem('translation', group(4096, ['opus']), shippedNeeds)).toMatch(
      /preloads opus, of which nothing is known/,
    );
  });

  it('must have room on disk', () => {
    expect(preloadProblem('translation', group(4096, all, 20), shippedNeeds)).toMatch(
      /caches 20 MB of files, and preloads 21 MB/,
    );
  });

  it('keeps a stage that cannot hold it from being synthesised, and is named', () => {
    const groups = groupsWith('production', 'translation', { memoryMb: 1024 });

    const synthesise = () =>
      addService(new App({ context: { ...context }, outdir: assemblyFolder() }), {
        config: readStageConfig('production', { groups }),
        code: placeholderCode(),
        needs: shippedNeeds,
      });

    expect(synthesise).toThrow(StageConfigError);
    expect(synthesise).toThrow(/^translation has 1024 MB of memory/);
  });

  it('is measured by what the models themselves say', () => {
    const models = join(import.meta.dirname, '..', '..', 'infra', 'models');

    const needs = readModelNeeds([join(models, 'translate-en-es')]);

    const said = JSON.parse(readFileSync(join(models, 'translate-en-es', 'casalingua.json'), 'utf8')).memory;
    expect(needs.get('translate-en-es')).toMatchObject(said);
    expect(needs.get('translate-en-es')?.filesMb).toBeGreaterThan(5);
  });
});

describe("a function's code", () => {
  it('may have so many MB unpacked and not more', () => {
    const folder = mkdtempSync(join(tmpdir(), 'casalingua-asset-'));
    mkdirSync(join(folder, 'below'));
    writeFileSync(join(folder, 'index.mjs'), Buffer.alloc(1024 * 1024));
    writeFileSync(join(folder, 'below', 'engine.wasm'), Buffer.alloc(1024 * 1024));

    expect(readdirSync(folder)).toHaveLength(2);
    expect(checkedAssetMb('inference', folder, 2)).toBe(2);
    expect(() => checkedAssetMb('inference', folder, 1.9)).toThrow(/the code of inference is 2\.0 MB unpacked/);
  });
});

describe('threads', () => {
  it.each([
    [128, 1],
    [1769, 1],
    [3537, 1],
    [3538, 2],
    [5307, 3],
    [10_240, 5],
  ])('with %i MB are %i', (memoryMb, threads) => {
    expect(threadsFor(memoryMb)).toBe(threads);
  });
});

describe('who may call a route', () => {
  it('is said of each: anybody asks whether it lives, callers translate, operators do the rest', () => {
    const pathsFor = (access: string) => routes.map(({ path }) => path).filter((path) => accessTo(path) === access);

    expect(pathsFor('anybody')).toEqual([
      '/health',
      '/readiness',
      '/liveness',
      '/dashboard',
      '/dashboard/{proxy+}',
      '/docs',
      '/docs/{proxy+}',
      '/openapi.json',
    ]);
    expect(pathsFor('callers')).toEqual([
      '/translate',
      '/detect',
      '/languages',
      '/pipeline/{proxy+}',
      '/health/{proxy+}',
    ]);
    expect(pathsFor('operators')).toEqual(['/metrics', '/admin/{proxy+}']);
    expect(accessTo('/whatever-comes')).toBe('operators');
  });
});
