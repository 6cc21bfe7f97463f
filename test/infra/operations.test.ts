import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  catalogue,
  cloudWatchName,
  type MetricDefinition,
  type MetricName,
} from '../../shared/observability/metric-catalogue.ts';
import { at, synthesise } from './support/synthesise.ts';

const ALARM = 'AWS::CloudWatch::Alarm';
const runbook = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'runbook.md'), 'utf8');
const sections = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));

describe('the alarms of production', () => {
  const production = synthesise('production');
  const alarms = production.of(ALARM);
  const alarm = (idBegins: string) => production.one(ALARM, `Alarm${idBegins}`);
  const linked = alarms.map((one) => /docs\/runbook\.md#(\S+)$/.exec(String(at(one, 'AlarmDescription')))?.[1]);

  it('are about everything by which the service is known to suffer', () => {
    expect(new Set(linked)).toEqual(
      new Set([
        'server-errors',
        'slow-route',
        'function-errors',
        'throttles',
        'provisioned-spillover',
        'memory-near-the-limit',
        'breaker-open',
        'load-failures',
        'store-failures',
        'table-throttles',
        'monitor-failures',
        'snapshot-missing',
      ]),
    );
  });

  it('each have a section in the runbook, and each section has an alarm', () => {
    expect(sections.toSorted()).toEqual([...new Set(linked)].toSorted());
  });

  it('go to the topic', () => {
    const topic = { Ref: production.idOf('AWS::SNS::Topic', 'Alarms') };
    for (const one of alarms) expect(at(one, 'AlarmActions')).toEqual([topic]);
  });

  it('may write to the topic, as alarms of this account, over TLS', () => {
    const statements = at(production.one('AWS::SNS::TopicPolicy'), 'PolicyDocument.Statement');
    expect(statements).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Action: 'sns:Publish',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      }),
    );
  });

  it("are set off by the share of 5xx, by a route's target, and by the share of a function's memory", () => {
    expect(at(alarm('ServerErrors'), 'Threshold')).toBe(1);
    expect(alarm('Slowtranslate').Properties).toMatchObject({
      Threshold: 5000,
      ExtendedStatistic: 'p99',
      Dimensions: [{ Name: 'Route', Value: 'ANY /translate' }],
    });
    expect(at(alarm('translationMemory'), 'Threshold')).toBe(Math.floor(5307 * 0.85));
  });

  it('are about the alias that is called', () => {
    const id = production.idOf('AWS::Lambda::Function', 'translationFunction');
    expect(at(alarm('translationSpillover'), 'Dimensions')).toEqual([
      { Name: 'FunctionName', Value: { Ref: id } },
      { Name: 'Resource', Value: { 'Fn::Join': ['', [{ Ref: id }, ':live']] } },
    ]);
  });

  it('stay silent when there is nothing to count, but for the one about silence', () => {
    for (const one of alarms) {
      const isAboutSilence = one === alarm('SnapshotMissing');
      expect(at(one, 'TreatMissingData')).toBe(isAboutSilence ? 'breaching' : 'notBreaching');
    }
  });

  it('look at series that the functions send, or that filters read out of logs', () => {
    const sent = new Set(
      Object.entries(catalogue).flatMap(([name, { series }]: [string, MetricDefinition]) =>
        series.map((dimensions) => [cloudWatchName(name as MetricName), 'service', ...dimensions].toSorted().join()),
      ),
    );
    const filtered = new Set(
      production
        .of('AWS::Logs::MetricFilter')
        .map((one) => at(one, 'MetricTransformations.0') as { MetricName: string; Dimensions?: { Key: string }[] })
        .map(({ MetricName, Dimensions = [] }) => [MetricName, ...Dimensions.map(({ Key }) => Key)].join()),
    );
    const looked = alarms
      .map((one) => one.Properties ?? {})
      .filter(({ Namespace }) => Namespace === 'CasaLingua/production')
      .map(({ MetricName, Dimensions = [] }) => {
        const names = (Dimensions as { Name: string }[]).map(({ Name }) => Name);
        return [MetricName as string, ...names];
      });

    expect(looked.length).toBeGreaterThan(8);
    for (const [name, ...dimensions] of looked) {
      const isSent = sent.has([name, ...dimensions].toSorted().join());
      expect([name, isSent || filtered.has([name, ...dimensions].join())]).toEqual([name, true]);
    }
  });
});

describe('a new version', () => {
  it('in production gets a tenth of the calls first, and an alarm turns it back', () => {
    const production = synthesise('production');

    const groups = production.of('AWS::CodeDeploy::DeploymentGroup');
    expect(groups).toHaveLength(3);
    for (const group of groups) {
      expect(group.Properties).toMatchObject({
        DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes',
        AlarmConfiguration: { Enabled: true, Alarms: expect.any(Array) },
        AutoRollbackConfiguration: { Enabled: true, Events: expect.arrayContaining(['DEPLOYMENT_STOP_ON_ALARM']) },
      });
    }
    const alias = production.one('AWS::Lambda::Alias', 'translation');
    expect(alias['UpdatePolicy']).toMatchObject({
      CodeDeployLambdaAliasUpdate: {
        DeploymentGroupName: { Ref: production.idOf('AWS::CodeDeploy::DeploymentGroup', 'Canarytranslation') },
      },
    });
  });

  it('has autoscaling wait from when the shift begins until it has ended, however it does', () => {
    const production = synthesise('production');

    const inputOf = (id: string) => {
      const rule = production.one('AWS::Events::Rule', id);
      return {
        states: at(rule, 'EventPattern.detail.state'),
        input: JSON.stringify(at(rule, 'Targets.0.Input')),
      };
    };
    const begins = inputOf('SuspendScalingtranslationBegins');
    const ends = inputOf('SuspendScalingtranslationEnds');
    expect(begins.states).toEqual(['START']);
    expect(begins.input).toMatch(/translationFunction.*:live.*suspended\\":true/s);
    expect(ends.states).toEqual(['SUCCESS', 'FAILURE', 'STOP']);
    expect(ends.input).toMatch(/translationFunction.*:live.*suspended\\":false/s);
  });

  it('in dev takes all calls at once', () => {
    const dev = synthesise('dev');
    expect(dev.of('AWS::CodeDeploy::DeploymentGroup')).toEqual([]);
    expect(dev.of('AWS::StepFunctions::StateMachine')).toEqual([]);
  });
});

describe('whoever is named', () => {
  it('is told of alarms and of money', () => {
    const { alarms } = synthesise('production').config;
    const production = synthesise('production', {
      alarms: { ...alarms, emails: ['ops@casalingua.example'] },
      monthlyBudgetUsd: 300,
    });

    production.template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@casalingua.example',
    });
    production.template.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetLimit: { Amount: 300, Unit: 'USD' }, TimeUnit: 'MONTHLY' },
    });
  });

  it('finds in the outputs what scripts need', () => {
    expect(Object.keys(synthesise('production').template.findOutputs('*')).toSorted()).toEqual(
      ['AlarmTopicArn', 'ApiUrl', 'DashboardName', 'ModelBucket', 'TableName'].toSorted(),
    );
  });

  it('cannot delete by mistake a stack that keeps data', () => {
    expect(synthesise('production').isProtected).toBe(true);
    expect(synthesise('dev').isProtected).toBe(false);
  });

  it('finds one dashboard, and everything tagged by project and stage', () => {
    const production = synthesise('production');
    expect(production.of('AWS::CloudWatch::Dashboard')).toHaveLength(1);
    for (const one of production.of('AWS::Lambda::Function')) {
      expect(at(one, 'Tags')).toEqual(
        expect.arrayContaining([
          { Key: 'casalingua:project', Value: 'casalingua' },
          { Key: 'casalingua:stage', Value: 'production' },
        ]),
      );
    }
  });
});
