import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { modelProcess } from '../../infra/model-process.ts';
import { at, groupsWith, synthesise } from './support/synthesise.ts';

const FUNCTION = 'AWS::Lambda::Function';

describe('the functions of production', () => {
  const production = synthesise('production');
  const { template } = production;
  const functionOf = (name: string) => production.one(FUNCTION, `${name}Function`);
  const variablesOf = (name: string) => at(functionOf(name), 'Environment.Variables');

  it('are one for each group of models, the control and the monitor, and no other', () => {
    expect(production.of(FUNCTION)).toHaveLength(4);
    for (const name of ['detection', 'translation', 'control', 'monitor']) expect(functionOf(name)).toBeDefined();
  });

  it('run on Node 24 and arm64, are traced, and log JSON into a group of their own that forgets', () => {
    template.allResourcesProperties(FUNCTION, {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: 30,
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: Match.anyValue() } },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 90 });
    const groups = production.of(FUNCTION).map((one) => at(one, 'LoggingConfig.LogGroup.Ref'));
    expect(new Set(groups).size).toBe(4);
  });

  it('have the memory of their stage, and a disk that is larger than the cache', () => {
    expect(functionOf('translation').Properties).toMatchObject({
      MemorySize: 5307,
      EphemeralStorage: { Size: 2048 + 128 },
    });
    expect(functionOf('detection').Properties).toMatchObject({ MemorySize: 1769, EphemeralStorage: { Size: 512 } });
    expect(at(functionOf('control'), 'MemorySize')).toBe(512);
    expect(at(functionOf('monitor'), 'MemorySize')).toBe(256);
  });

  it('give an engine as many threads as the memory brings vCPUs', () => {
    expect(variablesOf('translation')).toHaveProperty('CASALINGUA_THREADS', '3');
    expect(variablesOf('detection')).toHaveProperty('CASALINGUA_THREADS', '1');
  });

  it('are started as suits a process that holds models, where they hold any', () => {
    for (const name of ['detection', 'translation']) expect(variablesOf(name)).toMatchObject(modelProcess);
    for (const name of ['control', 'monitor']) expect(variablesOf(name)).not.toHaveProperty('MALLOC_ARENA_MAX');
  });

  it('know their stage, stores, models and what to load at start', () => {
    const table = { Ref: production.idOf('AWS::DynamoDB::GlobalTable', 'Table') };
    const bucket = { Ref: production.idOf('AWS::S3::Bucket', 'ModelsC') };
    const shared = {
      CASALINGUA_STAGE: 'production',
      CASALINGUA_TABLE: table,
      CASALINGUA_MODEL_BUCKET: bucket,
    };
    const models = 'language-detection,translate-en-es,translate-es-en';

    expect(variablesOf('translation')).toEqual({
      ...modelProcess,
      ...shared,
      CASALINGUA_MODELS: models,
      CASALINGUA_MODEL_LOADING_PRELOAD_MODELS: models,
      CASALINGUA_CACHE_FOLDER: '/tmp/casalingua',
      CASALINGUA_CACHE_MB: '2048',
      CASALINGUA_THREADS: '3',
      CASALINGUA_LIMIT_REQUESTS_PER_MINUTE: '600',
      CASALINGUA_LIMIT_CHARACTERS_PER_MINUTE: '500000',
    });
    expect(variablesOf('control')).toEqual({
      ...shared,
      // Which ones: with the rights to call them.
      CASALINGUA_INFERENCE_FUNCTIONS: expect.anything(),
      CASALINGUA_MODELS: models,
      CASALINGUA_MODEL_LOADING_PRELOAD_MODELS: models,
    });
    expect(variablesOf('monitor')).toEqual(shared);
  });

  it('are made after their rights, as they may be called at once', () => {
    for (const name of ['detection', 'translation', 'control', 'monitor']) {
      const rights = production.idOf('AWS::IAM::Policy', `${name}Role`);
      expect(functionOf(name)['DependsOn']).toContain(rights);
    }
  });

  it('are called by the alias live, each of a version of its own', () => {
    const aliases = production.of('AWS::Lambda::Alias');

    expect(aliases.map((alias) => at(alias, 'Name'))).toEqual(['live', 'live', 'live', 'live']);
    expect(new Set(aliases.map((alias) => JSON.stringify(at(alias, 'FunctionVersion')))).size).toBe(4);
  });

  it('keep instances ready where the stage says so, more by use and by the clock', () => {
    const alias = production.one('AWS::Lambda::Alias', 'translation');
    expect(at(alias, 'ProvisionedConcurrencyConfig')).toEqual({ ProvisionedConcurrentExecutions: 2 });
    expect(production.one('AWS::Lambda::Alias', 'control').Properties).not.toHaveProperty(
      'ProvisionedConcurrencyConfig',
    );
    const target = production.one('AWS::ApplicationAutoScaling::ScalableTarget', 'translation').Properties;
    expect(target).toMatchObject({
      MinCapacity: 2,
      MaxCapacity: 50,
      ScalableDimension: 'lambda:function:ProvisionedConcurrency',
      ScheduledActions: [
        { Schedule: 'cron(30 6 ? * MON-FRI *)', ScalableTargetAction: { MinCapacity: 5, MaxCapacity: 50 } },
        { Schedule: 'cron(0 19 ? * MON-FRI *)', ScalableTargetAction: { MinCapacity: 2, MaxCapacity: 50 } },
      ],
    });
    template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      TargetTrackingScalingPolicyConfiguration: {
        PredefinedMetricSpecification: { PredefinedMetricType: 'LambdaProvisionedConcurrencyUtilization' },
        TargetValue: 0.7,
      },
    });
  });

  it('have the monitor called every minute, by its alias, and a failed call not again', () => {
    const rule = production.one('AWS::Events::Rule', 'MonitorSchedule');

    expect(at(rule, 'ScheduleExpression')).toBe('rate(1 minute)');
    expect(at(rule, 'Targets')).toEqual([
      {
        Arn: { Ref: production.idOf('AWS::Lambda::Alias', 'monitor') },
        Id: 'Target0',
        RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
      },
    ]);
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
  });
});

describe('the functions of other stages', () => {
  it('in dev are one for all models, without anything kept ready', () => {
    const dev = synthesise('dev', { architecture: 'x86_64' });

    const inference = dev.one(FUNCTION, 'inferenceFunction');
    expect(inference.Properties).toMatchObject({ MemorySize: 4096, Architectures: ['x86_64'] });
    expect(at(inference, 'Environment.Variables')).not.toHaveProperty('CASALINGUA_MODELS');
    expect(dev.of('AWS::ApplicationAutoScaling::ScalableTarget')).toEqual([]);
    dev.template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete' });
  });

  it('keep instances to themselves, and take more environment, where the stage says so', () => {
    const groups = groupsWith('production', 'translation', {
      provisioned: { min: 1, max: 5 },
      reservedConcurrency: 10,
      environment: { CASALINGUA_NUM_BEAMS: '1' },
    });

    const production = synthesise('production', { groups });

    const translating = production.one(FUNCTION, 'translation');
    expect(at(translating, 'ReservedConcurrentExecutions')).toBe(10);
    expect(at(translating, 'Environment.Variables.CASALINGUA_NUM_BEAMS')).toBe('1');
  });
});
