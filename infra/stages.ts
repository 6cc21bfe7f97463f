import { checkStageConfig, type StageConfig, StageConfigError, type StageInput } from './config.ts';

const shipped = ['language-detection', 'translate-en-es', 'translate-es-en'];
const detectionRoutes = ['/detect', '/pipeline/detect', '/pipeline/detect-language'];
const translationRoutes = ['/translate', '/languages', '/pipeline/{proxy+}'];

/** Ms that are promised, by route. A cold start is among the hundredth that may take longer. */
const p99Ms = { '/translate': 5_000, '/detect': 1_000, '/pipeline/{proxy+}': 10_000 };

/** One function for all models, nothing kept warm, and all of it gone with the stack. */
const dev: StageInput = {
  stage: 'dev',
  groups: {
    inference: { memoryMb: 4096, cacheMb: 512, models: 'all', routes: [...translationRoutes, '/detect'] },
  },
  control: { memoryMb: 512 },
  monitor: { memoryMb: 256 },
  authorization: { callers: { kind: 'keys' }, operators: { kind: 'keys' } },
  callerLimits: { requestsPerMinute: 120, charactersPerMinute: 100_000 },
  throttling: { everywhere: { rate: 20, burst: 40 } },
  logRetentionDays: 7,
  keepData: false,
  deployment: 'all-at-once',
  alarms: { serverErrorPercent: 5, p99Ms, memoryPercent: 90 },
};

/** As production is, with less of it. */
const staging: StageInput = {
  ...dev,
  stage: 'staging',
  groups: {
    detection: {
      memoryMb: 1769,
      cacheMb: 256,
      models: ['language-detection'],
      preload: ['language-detection'],
      routes: detectionRoutes,
      provisioned: { min: 1, max: 2 },
    },
    translation: {
      memoryMb: 4096,
      cacheMb: 1024,
      models: shipped,
      preload: shipped,
      routes: translationRoutes,
      provisioned: { min: 1, max: 2 },
    },
  },
  callerLimits: { requestsPerMinute: 600, charactersPerMinute: 500_000 },
  throttling: { everywhere: { rate: 50, burst: 100 }, routes: { '/translate': { rate: 20, burst: 40 } } },
  logRetentionDays: 30,
  keepData: true,
  deployment: 'canary',
  alarms: { serverErrorPercent: 2, p99Ms, memoryPercent: 90 },
};

const production: StageInput = {
  ...staging,
  stage: 'production',
  groups: {
    detection: {
      memoryMb: 1769,
      cacheMb: 256,
      models: ['language-detection'],
      preload: ['language-detection'],
      routes: detectionRoutes,
      provisioned: { min: 2, max: 20 },
    },
    translation: {
      memoryMb: 5307,
      cacheMb: 2048,
      models: shipped,
      preload: shipped,
      routes: translationRoutes,
      provisioned: {
        min: 2,
        max: 50,
        schedules: [
          { name: 'office-opens', cron: 'cron(30 6 ? * MON-FRI *)', capacity: { min: 5, max: 50 } },
          { name: 'office-closes', cron: 'cron(0 19 ? * MON-FRI *)', capacity: { min: 2, max: 50 } },
        ],
      },
    },
  },
  throttling: { everywhere: { rate: 200, burst: 400 }, routes: { '/translate': { rate: 100, burst: 200 } } },
  logRetentionDays: 90,
  alarms: { serverErrorPercent: 1, p99Ms, memoryPercent: 85 },
};

/** What each stage is, by the name that `-c stage=` gives. */
export const stages: Readonly<Record<StageInput['stage'], StageInput>> = { dev, staging, production };

/**
 * The checked configuration of a stage.
 * @param stage as `-c stage=` gives it
 * @param changes replace the stage's own members
 * @throws StageConfigError
 */
export function readStageConfig(
  stage: unknown,
  changes: Readonly<Partial<Record<keyof StageInput, unknown>>> = {},
): StageConfig {
  const input = Object.entries(stages).find(([name]) => name === stage)?.[1];
  if (input === undefined) {
    const given = stage === undefined ? '' : `, not ${JSON.stringify(stage)}`;
    throw new StageConfigError(`-c stage= must be one of ${Object.keys(stages).join(', ')}${given}`);
  }
  return checkStageConfig({ ...input, ...changes });
}
