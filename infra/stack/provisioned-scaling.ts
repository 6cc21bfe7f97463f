import { TimeZone } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import type { ProvisionedConfig } from '../config.ts';

/**
 * Keeps the alias's provisioned instances between bounds, by how many are in use and by the clock.
 *
 * While a canary shifts, the alias has two versions, and Lambda refuses to change its provisioned concurrency;
 * `suspend-scaling.ts` makes autoscaling wait for that long.
 */
export function scaleProvisioned(alias: Alias, { min, max, utilisationPercent, schedules }: ProvisionedConfig): void {
  const target = alias.addAutoScaling({ minCapacity: min, maxCapacity: max });
  target.scaleOnUtilization({ utilizationTarget: utilisationPercent / 100 });
  for (const { name, cron, timeZone, capacity } of schedules) {
    target.scaleOnSchedule(name, {
      schedule: Schedule.expression(cron),
      timeZone: TimeZone.of(timeZone),
      minCapacity: capacity.min,
      maxCapacity: capacity.max,
    });
  }
}
