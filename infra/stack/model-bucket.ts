import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type BucketProps, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { MEMORY_FOLDER } from './permissions.ts';

export interface ModelBucketProps {
  /** @default - S3's own key */
  readonly key: IKey | undefined;
  /** Whether buckets outlive the stack. Without it they go with the stack, once they are empty. */
  readonly keepData: boolean;
  readonly logRetentionDays: number;
}

/** Days for which memory snapshots are kept. */
const MEMORY_DAYS = 30;

/**
 * The model repository, with a bucket of its own for its access logs, and the memory snapshots of the last days. No statement of the stack
 * writes models into it: versions are published by `npm run models -- publish`, with the rights of whoever runs it. It writes no object twice and changes the active
 * version by compare-and-set, so it may be repeated; a custom resource of the stack would need a function with rights to write,
 * would tie each model's life to a deployment, and would undo an operator's choice of version when the stack rolls back.
 */
export function createModelBucket(scope: Construct, { key, keepData, logRetentionDays }: ModelBucketProps): Bucket {
  const closed = {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  } satisfies BucketProps;
  const logs = new Bucket(scope, 'ModelAccessLogs', {
    ...closed,
    // S3 delivers access logs into buckets with its own key only.
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: Duration.days(logRetentionDays) }],
  });
  return new Bucket(scope, 'Models', {
    ...closed,
    ...(key === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
    versioned: true,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'models/',
    lifecycleRules: [
      { abortIncompleteMultipartUploadAfter: Duration.days(2) },
      {
        prefix: MEMORY_FOLDER,
        expiration: Duration.days(MEMORY_DAYS),
        noncurrentVersionExpiration: Duration.days(1),
      },
      // What the rule before leaves of each.
      { prefix: MEMORY_FOLDER, expiredObjectDeleteMarker: true },
      // Objects are never overwritten, so these are deletions that somebody may want back.
      { noncurrentVersionExpiration: Duration.days(30) },
    ],
  });
}
