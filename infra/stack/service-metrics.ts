import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { catalogue, cloudWatchName, type MetricName } from '../../shared/observability/metric-catalogue.ts';
import { metricNamespace } from '../../shared/observability/standard-output.ts';
import type { FunctionName } from '../routes.ts';
import type { ServiceApi } from './api.ts';
import { createLogMetric, type LogMetric } from './log-metrics.ts';
import type { ServiceFunction } from './service-function.ts';

export interface Observed {
  readonly stage: string;
  readonly api: ServiceApi;
  /** The functions that own models, by the names of their groups. */
  readonly groups: ReadonlyMap<string, ServiceFunction>;
  readonly control: ServiceFunction;
  readonly monitor: ServiceFunction;
  readonly table: ITable;
}

export interface FunctionMetrics {
  readonly invocations: IMetric;
  readonly errors: IMetric;
  readonly throttles: IMetric;
  readonly durationP99: IMetric;
  /** Requests that found no provisioned instance free. */
  readonly spillover: IMetric;
  /** Part of the provisioned instances that are in use, 0 to 1. */
  readonly provisionedUse: IMetric;
  /** MB that an instance used at most. */
  readonly memoryMb: IMetric;
}

/** All that alarms and dashboard look at. */
export interface ServiceMetrics {
  readonly requests: IMetric;
  /** Percent of the answers. */
  readonly serverErrorPercent: IMetric;
  readonly clientErrors: IMetric;
  /** Ms as the gateway sees them, of a route, e.g. `/translate`. */
  latencyP99(path: string): IMetric;
  functionOf(name: string): FunctionMetrics;
  readonly breakersOpened: IMetric;
  readonly loadFailures: IMetric;
  readonly storeFailures: IMetric;
  readonly tableThrottles: IMetric;
  readonly tableErrors: IMetric;
  /** Runs of the monitor after which the fleet's memory snapshot was in the bucket. */
  readonly snapshots: IMetric;
  readonly monitorFailures: IMetric;
  readonly instances: IMetric;
  /** Bytes. */
  readonly fleetMemory: IMetric;
  readonly fleetMemoryLimit: IMetric;
}

const MINUTES_5 = Duration.minutes(5);

export function createServiceMetrics(scope: Construct, observed: Observed): ServiceMetrics {
  const { api, groups, control, monitor, table, stage } = observed;
  const namespace = metricNamespace(stage);
  const logMetric = (metric: LogMetric) => createLogMetric(scope, namespace, metric);
  /** What the functions measure themselves. */
  const measured = (name: MetricName, service: FunctionName, dimensions: Readonly<Record<string, string>> = {}) =>
    new Metric({
      namespace,
      metricName: cloudWatchName(name),
      dimensionsMap: { service, ...dimensions },
      statistic: catalogue[name].kind === 'gauge' ? Stats.MAXIMUM : Stats.SUM,
      period: MINUTES_5,
    });
  const latency = logMetric({
    name: 'Latency',
    logs: [api.accessLog],
    pattern: '{ $.responseLatency >= 0 }',
    value: '$.responseLatency',
    dimension: { name: 'Route', member: '$.routeKey' },
  });
  const gateway = (metricName: string, statistic: string = Stats.SUM) =>
    new Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiId: api.api.apiId, Stage: '$default' },
      statistic,
      period: MINUTES_5,
    });
  const ofFunctions = new Map(
    [...groups, ['control', control] as const, ['monitor', monitor] as const].map(([name, one]) => {
      const memoryMb = logMetric({
        name: `MemoryUsedMb-${name}`,
        logs: [one.logGroup],
        pattern: '{ $.type = "platform.report" }',
        value: '$.record.metrics.maxMemoryUsedMB',
      })();
      return [name, functionMetrics(one, memoryMb)];
    }),
  );
  const ofTable = (metricName: string) =>
    new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: { TableName: table.tableName },
      statistic: Stats.SUM,
      period: MINUTES_5,
    });
  return {
    requests: gateway('Count', Stats.SAMPLE_COUNT),
    serverErrorPercent: new MathExpression({
      expression: 'IF(requests > 0, 100 * errors / requests, 0)',
      usingMetrics: { errors: gateway('5xx'), requests: gateway('Count', Stats.SAMPLE_COUNT) },
      label: '5xx, percent',
      period: MINUTES_5,
    }),
    clientErrors: gateway('4xx'),
    latencyP99: (path) => latency(`ANY ${path}`).with({ statistic: Stats.percentile(99) }),
    functionOf(name) {
      const found = ofFunctions.get(name);
      if (found === undefined) throw new Error(`there is no function ${name}`);
      return found;
    },
    breakersOpened: measured('breakerTransitions', 'inference', { state: 'OPEN' }),
    loadFailures: measured('modelFailures', 'inference'),
    storeFailures: measured('storeCalls', 'inference', { outcome: 'failed' }),
    tableThrottles: new MathExpression({
      expression: 'FILL(reads, 0) + FILL(writes, 0)',
      usingMetrics: { reads: ofTable('ReadThrottleEvents'), writes: ofTable('WriteThrottleEvents') },
      label: 'throttled',
      period: MINUTES_5,
    }),
    tableErrors: ofTable('SystemErrors'),
    snapshots: measured('memorySnapshots', 'monitor'),
    monitorFailures: measured('monitorTasks', 'monitor', { outcome: 'failed' }),
    instances: measured('fleetInstances', 'monitor'),
    fleetMemory: measured('fleetResidentBytes', 'monitor'),
    fleetMemoryLimit: measured('fleetLimitBytes', 'monitor'),
  };
}

/** Of the alias, which is what is called. Its name stands here as a text: what the alias waits for may look at its metrics. */
function functionMetrics({ function: { functionName } }: ServiceFunction, memoryMb: IMetric): FunctionMetrics {
  const metric = (metricName: string, statistic: string) =>
    new Metric({
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { FunctionName: functionName, Resource: `${functionName}:live` },
      statistic,
      period: MINUTES_5,
    });
  return {
    invocations: metric('Invocations', Stats.SUM),
    errors: metric('Errors', Stats.SUM),
    throttles: metric('Throttles', Stats.SUM),
    durationP99: metric('Duration', Stats.percentile(99)),
    spillover: metric('ProvisionedConcurrencySpilloverInvocations', Stats.SUM),
    provisionedUse: metric('ProvisionedConcurrencyUtilization', Stats.MAXIMUM),
    memoryMb,
  };
}
