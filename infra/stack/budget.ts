import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';

/** Tells the addresses when four fifths of the month's budget are spent, and when all of it is expected to be. */
export function createBudget(scope: Construct, usd: number, stage: string, emails: readonly string[]): CfnBudget {
  const subscribers = emails.map((address) => ({ subscriptionType: 'EMAIL', address }));
  return new CfnBudget(scope, 'Budget', {
    budget: {
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: usd, unit: 'USD' },
      // Counts once the tag is activated for cost allocation in the account.
      costFilters: { TagKeyValue: [`user:casalingua:stage$${stage}`] },
    },
    notificationsWithSubscribers: [
      { notification: notification('ACTUAL', 80), subscribers },
      { notification: notification('FORECASTED', 100), subscribers },
    ],
  });
}

function notification(notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) {
  return { notificationType, threshold, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' };
}
