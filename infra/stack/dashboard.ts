import { Dashboard, GraphWidget, type IMetric, Row } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** One page in the order in which a person asks: do callers suffer, which function, which model, what of the fleet. */
export function createDashboard(
  scope: Construct,
  config: Pick<StageConfig, 'alarms' | 'groups'>,
  metrics: ServiceMetrics,
): Dashboard {
  const groups = Object.keys(config.groups);
  const graph = (title: string, left: readonly IMetric[], right: readonly IMetric[] = []) =>
    new GraphWidget({ title, left: [...left], right: [...right], width: 8, height: 6 });
  const dashboard = new Dashboard(scope, 'Dashboard');
  dashboard.addWidgets(
    new Row(
      graph('Requests, and those refused (4xx)', [metrics.requests], [metrics.clientErrors]),
      graph('Answers with 5xx, percent', [metrics.serverErrorPercent]),
      graph('p99 by route, ms', Object.keys(config.alarms.p99Ms).map(metrics.latencyP99)),
    ),
  );
  for (const name of [...groups, 'control', 'monitor']) {
    const one = metrics.functionOf(name);
    dashboard.addWidgets(
      new Row(
        graph(`${name}: calls, errors, throttles`, [one.invocations], [one.errors, one.throttles]),
        graph(`${name}: p99 ms, and MB used at most`, [one.durationP99], [one.memoryMb]),
        ...(groups.includes(name)
          ? [graph(`${name}: provisioned in use, and spillover`, [one.provisionedUse], [one.spillover])]
          : []),
      ),
    );
  }
  dashboard.addWidgets(
    new Row(
      graph('Breakers opened, loads failed', [metrics.breakersOpened, metrics.loadFailures]),
      graph(
        'Fleet: instances, and memory in bytes',
        [metrics.instances],
        [metrics.fleetMemory, metrics.fleetMemoryLimit],
      ),
      graph('Table: throttled, errors, calls refused', [
        metrics.tableThrottles,
        metrics.tableErrors,
        metrics.storeFailures,
      ]),
    ),
  );
  return dashboard;
}
