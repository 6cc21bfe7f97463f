import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FunctionName } from '../routes.ts';

/** What a function does to items of the table, by the partitions that it does it to; `*` at an end stands for the rest of a key. */
type TableRights = readonly { readonly actions: readonly string[]; readonly partitions: readonly string[] }[];

/** What each function calls (the `dynamo-*.ts` files), and nothing more. */
const tableRights: Readonly<Record<FunctionName, TableRights>> = {
  inference: [
    { actions: ['dynamodb:GetItem'], partitions: ['BREAKER', 'KEY#*', 'LOAD#*', 'RATE#*', 'VOTE#*'] },
    { actions: ['dynamodb:UpdateItem'], partitions: ['BREAKER', 'LOAD#*', 'RATE#*', 'VOTE#*'] },
    { actions: ['dynamodb:BatchGetItem'], partitions: ['MODEL#*'] },
    { actions: ['dynamodb:Query'], partitions: ['INSTANCES#*', 'WISH'] },
    { actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem'], partitions: ['INSTANCES#*'] },
  ],
  control: [
    { actions: ['dynamodb:GetItem'], partitions: ['BREAKER', 'KEY#*', 'MODEL#*', 'WISH'] },
    // What operators say by the API.
    { actions: ['dynamodb:UpdateItem'], partitions: ['BREAKER', 'MODEL#*', 'WISH'] },
    { actions: ['dynamodb:BatchGetItem'], partitions: ['MODEL#*'] },
    { actions: ['dynamodb:Query'], partitions: ['INSTANCES#*', 'WISH'] },
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

/** Listing the versions of those models that are named. */
export function versionsStatements(bucketArn: string, models: 'all' | readonly string[]): readonly PolicyStatement[] {
  if (models === 'all' || models.length === 0) return [];
  return [
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['s3:ListBucket'],
      resources: [bucketArn],
      conditions: { StringEquals: { 's3:prefix': modelPrefixes(models) } },
    }),
  ];
}

/** Where the fleet's memory snapshots lie in the bucket. */
export const MEMORY_FOLDER = 'metrics/';

/** The monitor writes memory snapshots, control lists and reads them. */
export function memoryStatements(name: 'control' | 'monitor', bucketArn: string): readonly PolicyStatement[] {
  const onObjects = (action: string) =>
    new PolicyStatement({ effect: Effect.ALLOW, actions: [action], resources: [`${bucketArn}/${MEMORY_FOLDER}*`] });
  if (name === 'monitor') return [onObjects('s3:PutObject')];
  const list = new PolicyStatement({
    effect: Effect.ALLOW,
    actions: ['s3:ListBucket'],
    resources: [bucketArn],
    conditions: { StringLike: { 's3:prefix': `${MEMORY_FOLDER}*` } },
  });
  return [onObjects('s3:GetObject'), list];
}

/** Encrypting what is written into a bucket that has a key of the account's own. */
export function encryptStatement(keyArn: string): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions: ['kms:GenerateDataKey'], resources: [keyArn] });
}

/** Waking these functions, by their aliases. */
export function invokeStatement(aliasArns: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: ['lambda:InvokeFunction'],
    resources: [...aliasArns],
  });
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
