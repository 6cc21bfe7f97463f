import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { MONITOR_PERIOD_MS } from '../../shared/fleet/breaker/fleet-rules.ts';
import type { ServiceFunction } from './service-function.ts';

/** Calls the monitor by the period that the fleet counts with. A call that failed is not repeated: the next is near. */
export function scheduleMonitor(scope: Construct, monitor: ServiceFunction): Rule {
  const once = { retryAttempts: 0, maxEventAge: Duration.millis(MONITOR_PERIOD_MS) };
  monitor.alias.configureAsyncInvoke(once);
  return new Rule(scope, 'MonitorSchedule', {
    description: 'CasaLingua: calls the monitor',
    schedule: Schedule.rate(Duration.millis(MONITOR_PERIOD_MS)),
    targets: [new LambdaFunction(monitor.alias, once)],
  });
}
