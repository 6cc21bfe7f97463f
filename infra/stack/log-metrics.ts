import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** A metric that only a log tells, the gateway's or Lambda's own, read out of it by filters. */
export interface LogMetric {
  /** Unique in the stack. */
  readonly name: string;
  /** In the logs of all these. */
  readonly logs: readonly ILogGroup[];
  /** CloudWatch's pattern for JSON, e.g. `{ $.type = "platform.report" }`. */
  readonly pattern: string;
  /** The member that is the value. */
  readonly value: string;
  /** A name and the member that tells one series from another. @default - one series */
  readonly dimension?: { readonly name: string; readonly member: string };
}

/** Makes the filters of a metric. @returns its series, of the stated dimension's value */
export function createLogMetric(
  scope: Construct,
  namespace: string,
  { name, logs, pattern, value, dimension }: LogMetric,
): (dimensionValue?: string) => Metric {
  for (const [index, logGroup] of logs.entries()) {
    new MetricFilter(scope, `${name}Filter${index}`, {
      logGroup,
      filterPattern: FilterPattern.literal(pattern),
      metricNamespace: namespace,
      metricName: name,
      metricValue: value,
      ...(dimension === undefined ? {} : { dimensions: { [dimension.name]: dimension.member } }),
    });
  }
  return (dimensionValue) =>
    new Metric({
      namespace,
      metricName: name,
      statistic: Stats.MAXIMUM,
      period: Duration.minutes(5),
      ...(dimension === undefined || dimensionValue === undefined
        ? {}
        : { dimensionsMap: { [dimension.name]: dimensionValue } }),
    });
}
