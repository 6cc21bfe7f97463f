import { Alarm, ComparisonOperator, type IAlarm, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { ServiceFunction } from './service-function.ts';
import type { ServiceMetrics } from './service-metrics.ts';

export interface ServiceAlarmsProps {
  readonly config: Pick<StageConfig, 'stage' | 'groups' | 'alarms'>;
  readonly metrics: ServiceMetrics;
  readonly topic: ITopic;
  /** All functions, by name. */
  readonly functions: ReadonlyMap<string, ServiceFunction>;
}

interface AlarmProps {
  /** The section of docs/runbook.md. */
  readonly runbook: string;
  /** What has happened, in words. */
  readonly says: string;
  readonly metric: IMetric;
  /** Above it, it is an alarm. */
  readonly above: number;
  /** Periods of five minutes, and how many of them must be bad. @default - one of one */
  readonly periods?: { readonly of: number; readonly bad: number };
}

/** An alarm for each way in which the service is known to suffer; each names its section in docs/runbook.md. */
export class ServiceAlarms extends Construct {
  /** Those that speak against the version that a canary brings, by the function. */
  readonly #againstVersion = new Map<string, readonly IAlarm[]>();
  readonly #topic: ITopic;

  constructor(scope: Construct, id: string, { config, metrics, topic, functions }: ServiceAlarmsProps) {
    super(scope, id);
    this.#topic = topic;
    const { alarms, groups } = config;
    const serverErrors = this.#add('ServerErrors', {
      runbook: 'server-errors',
      says: `More than ${alarms.serverErrorPercent} % of the answers are 5xx`,
      metric: metrics.serverErrorPercent,
      above: alarms.serverErrorPercent,
      periods: { of: 2, bad: 2 },
    });
    for (const [path, targetMs] of Object.entries(alarms.p99Ms)) {
      this.#add(`Slow ${path}`, {
        runbook: 'slow-route',
        says: `One of a hundred requests to ${path} takes longer than ${targetMs} ms`,
        metric: metrics.latencyP99(path),
        above: targetMs,
        periods: { of: 3, bad: 3 },
      });
    }
    for (const [name, { memoryMb }] of functions) {
      const errors = this.#addFunction(name, metrics, Math.floor((memoryMb * alarms.memoryPercent) / 100));
      this.#againstVersion.set(name, [serverErrors, errors]);
      if (groups[name]?.provisioned !== undefined) {
        this.#add(`${name}Spillover`, {
          runbook: 'provisioned-spillover',
          says: `Requests to ${name} find no provisioned instance free`,
          metric: metrics.functionOf(name).spillover,
          above: 0,
          periods: { of: 3, bad: 3 },
        });
      }
    }
    this.#addFleet(metrics);
  }

  /** The alarms that turn a canary of this function back. */
  againstVersionOf(name: string): readonly IAlarm[] {
    return this.#againstVersion.get(name) ?? [];
  }

  #addFunction(name: string, metrics: ServiceMetrics, memoryMb: number): IAlarm {
    const { errors, throttles, memoryMb: used } = metrics.functionOf(name);
    this.#add(`${name}Throttles`, {
      runbook: 'throttles',
      says: `Lambda turns calls of ${name} away`,
      metric: throttles,
      above: 0,
      periods: { of: 2, bad: 2 },
    });
    this.#add(`${name}Memory`, {
      runbook: 'memory-near-the-limit',
      says: `An instance of ${name} used more than ${memoryMb} MB`,
      metric: used,
      above: memoryMb,
    });
    return this.#add(`${name}Errors`, {
      runbook: 'function-errors',
      says: `Calls of ${name} crash or run out of time`,
      metric: errors,
      above: 0,
    });
  }

  #addFleet(metrics: ServiceMetrics): void {
    this.#add('BreakerOpen', {
      runbook: 'breaker-open',
      says: 'A circuit breaker has opened: a model fails, and is left alone',
      metric: metrics.breakersOpened,
      above: 0,
    });
    this.#add('LoadFailures', {
      runbook: 'load-failures',
      says: 'Models could not be loaded, or their threads died',
      metric: metrics.loadFailures,
      above: 0,
    });
    this.#add('StoreFailures', {
      runbook: 'store-failures',
      says: 'DynamoDB refuses calls, for another reason than being away',
      metric: metrics.storeFailures,
      above: 0,
    });
    this.#add('TableThrottles', {
      runbook: 'table-throttles',
      says: 'DynamoDB throttles the table',
      metric: metrics.tableThrottles,
      above: 0,
      periods: { of: 2, bad: 2 },
    });
    this.#add('MonitorFailures', {
      runbook: 'monitor-failures',
      says: 'A task of the monitor failed',
      metric: metrics.monitorFailures,
      above: 0,
      periods: { of: 2, bad: 2 },
    });
    new Alarm(this, 'SnapshotMissing', {
      metric: metrics.snapshots,
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 2,
      // Nothing is what it is about.
      treatMissingData: TreatMissingData.BREACHING,
      alarmDescription: describe(
        'No memory snapshot of the fleet has been written for ten minutes',
        'snapshot-missing',
      ),
    }).addAlarmAction(new SnsAction(this.#topic));
  }

  #add(id: string, { runbook, says, metric, above, periods = { of: 1, bad: 1 } }: AlarmProps): Alarm {
    const alarm = new Alarm(this, id, {
      metric,
      threshold: above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods.of,
      datapointsToAlarm: periods.bad,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: describe(says, runbook),
    });
    alarm.addAlarmAction(new SnsAction(this.#topic));
    alarm.addOkAction(new SnsAction(this.#topic));
    return alarm;
  }
}

function describe(says: string, runbook: string): string {
  return `${says}. What to do: docs/runbook.md#${runbook}`;
}
