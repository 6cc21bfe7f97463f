import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FunctionName } from '../routes.ts';

/** What a function does to items of the table, by the partitions that it does it to; `*` at an end stands for the rest of a key. */
type TableRights = readonly { readonly actions: readonly string[]; readonly partitions: readonly string[] }[];

/** What each function calls (the `dynamo-*.ts` files), and nothing more. */
const tableRights: Readonly<Record<FunctionName, TableRights>> = {
  inference: [
    { actions: ['dynamodb:GetItem'], partitions: ['BREAKER', 'LOAD#*', 'VOTE#*'] },
    { actions: ['dynamodb:UpdateItem'], partitions: ['BREAKER', 'LOAD#*', 'VOTE#*'] },
    { actions: ['dynamodb:BatchGetItem'], partitions: ['MODEL#*'] },
    { actions: ['dynamodb:Query'], partitions: ['INSTANCES#*', 'WISH'] },
    { actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem'], partitions: ['INSTANCES#*'] },
  ],
  control: [
    { actions: ['dynamodb:GetItem'], partitions: ['BREAKER'] },
    { actions: ['dynamodb:BatchGetItem'], partitions: ['MODEL#*'] },
    { actions: ['dynamodb:Query'], partitions: ['INSTANCES#*'] },
  ],
  monitor: [
    { actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], partitions: ['BREAKER'] },
    { actions: ['dynamodb:Query'], partitions: ['INSTANCES#*', 'WISH'] },
  ],
};

/** A function's statements on the fleet's table. */
export function tableStatements(name: FunctionName, tableArn: string): readonly PolicyStatement[] {
  return tableRights[name].map(
    ({ actions, partitions }) =>
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: [...actions],
        resources: [tableArn],
        conditions: {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions },
          // A condition on all values of a key that is absent would hold.
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      }),
  );
}

/** Reading models, those that are named or all; listing them where they are not named. */
export function modelStatements(bucketArn: string, models: 'all' | readonly string[]): readonly PolicyStatement[] {
  const read = new PolicyStatement({
    effect: Effect.ALLOW,
    actions: ['s3:GetObject'],
    resources: modelPrefixes(models).map((prefix) => `${bucketArn}/${prefix}*`),
  });
  if (models !== 'all') return [read];
  const list = new PolicyStatement({
    effect: Effect.ALLOW,
    actions: ['s3:ListBucket'],
    resources: [bucketArn],
    conditions: { StringLike: { 's3:prefix': 'models/*' } },
  });
  return [read, list];
}

/** Where the files of these models lie in the bucket. */
export function modelPrefixes(models: 'all' | readonly string[]): readonly string[] {
  return models === 'all' ? ['models/'] : models.map((id) => `models/${id}/`);
}

/** Writing into the function's own log group. */
export function logStatement(logGroupArn: string): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logGroupArn],
  });
}

/** Sending traces; X-Ray knows no resources to name. */
export function traceStatement(): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    resources: ['*'],
  });
}
