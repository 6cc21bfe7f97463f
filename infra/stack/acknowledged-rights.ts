import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { acknowledge, wildcardIn } from './acknowledge.ts';
import { MEMORY_FOLDER, modelPrefixes } from './permissions.ts';

/** The wildcards in the rights of a function's role, each by itself: another one is a finding. */
export function acknowledgeRights(role: Role, bucket: Bucket, models: 'all' | readonly string[]): void {
  acknowledge(role, {
    [wildcardIn(role, '*')]:
      'The two actions that send traces to X-Ray; X-Ray has no resources that a statement could name.',
  });
  for (const prefix of modelPrefixes(models)) {
    acknowledge(role, {
      [wildcardIn(role, bucket.arnForObjects(`${prefix}*`))]:
        'Reading the published files of models that the function serves: their names and versions come after the deployment.',
    });
  }
}

/** The one in the rights to write or read memory snapshots. */
export function acknowledgeMemory(role: Role, bucket: Bucket): void {
  acknowledge(role, {
    [wildcardIn(role, bucket.arnForObjects(`${MEMORY_FOLDER}*`))]:
      'Memory snapshots: one object for each five minutes, named after them.',
  });
}
