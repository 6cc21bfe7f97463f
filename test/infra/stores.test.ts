import { describe, expect, it } from 'vitest';
import { at, synthesise } from './support/synthesise.ts';

const TABLE = 'AWS::DynamoDB::GlobalTable';
const BUCKET = 'AWS::S3::Bucket';

describe("production's table", () => {
  const table = synthesise('production').one(TABLE);

  it('has the keys that the functions use, and forgets by itself what has expired', () => {
    expect(table.Properties).toMatchObject({
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    });
  });

  it('is paid by request, can be taken back to a point in time, and cannot be deleted', () => {
    expect(at(table, 'BillingMode')).toBe('PAY_PER_REQUEST');
    expect(at(table, 'Replicas')).toMatchObject([
      { DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
    ]);
    expect(table['DeletionPolicy']).toBe('Retain');
  });
});

describe("production's model bucket", () => {
  const production = synthesise('production');
  const models = production.one(BUCKET, 'ModelsC');

  it('keeps what is deleted for a while, memory snapshots for 30 days, and what stays half uploaded for two', () => {
    expect(at(models, 'VersioningConfiguration')).toEqual({ Status: 'Enabled' });
    expect(at(models, 'LifecycleConfiguration.Rules')).toEqual([
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 }, Status: 'Enabled' },
      {
        Prefix: 'metrics/',
        ExpirationInDays: 30,
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        Status: 'Enabled',
      },
      { Prefix: 'metrics/', ExpiredObjectDeleteMarker: true, Status: 'Enabled' },
      { NoncurrentVersionExpiration: { NoncurrentDays: 30 }, Status: 'Enabled' },
    ]);
    expect(models['DeletionPolicy']).toBe('Retain');
  });

  it('has its accesses logged into another bucket, which forgets', () => {
    expect(at(models, 'LoggingConfiguration')).toEqual({
      DestinationBucketName: { Ref: production.idOf(BUCKET, 'ModelAccessLogs') },
      LogFilePrefix: 'models/',
    });
    const logs = production.one(BUCKET, 'ModelAccessLogs');
    expect(at(logs, 'LifecycleConfiguration.Rules')).toEqual([{ ExpirationInDays: 90, Status: 'Enabled' }]);
  });
});

describe('a stage that keeps nothing', () => {
  it('takes table and buckets with it', () => {
    const dev = synthesise('dev');

    expect(at(dev.one(TABLE), 'Replicas')).toMatchObject([{ DeletionProtectionEnabled: false }]);
    for (const one of [...dev.of(TABLE), ...dev.of(BUCKET)]) expect(one['DeletionPolicy']).toBe('Delete');
  });
});

describe("a key of the account's own", () => {
  const keyed = synthesise('production', { encryption: 'customer-key', region: 'eu-central-1' });
  const id = keyed.idOf('AWS::KMS::Key', 'Key');
  const arn = { 'Fn::GetAtt': [id, 'Arn'] };

  it('rotates, and encrypts models, table, alarms and every log', () => {
    expect(at(keyed.one('AWS::KMS::Key'), 'EnableKeyRotation')).toBe(true);
    expect(JSON.stringify(at(keyed.one(BUCKET, 'ModelsC'), 'BucketEncryption'))).toContain(id);
    expect(at(keyed.one(TABLE), 'SSESpecification')).toMatchObject({ SSEEnabled: true, SSEType: 'KMS' });
    expect(at(keyed.one('AWS::SNS::Topic'), 'KmsMasterKeyId')).toEqual(arn);
    for (const log of keyed.of('AWS::Logs::LogGroup')) expect(at(log, 'KmsKeyId')).toEqual(arn);
  });

  it('may be used by the logs and the alarms of this account', () => {
    const statements = JSON.stringify(at(keyed.one('AWS::KMS::Key'), 'KeyPolicy.Statement'));
    expect(statements).toMatch(/kms:EncryptionContext:aws:logs:arn.*"Service":"logs\.eu-central-1\.amazonaws\.com"/);
    expect(statements).toMatch(
      /"aws:SourceAccount":\{"Ref":"AWS::AccountId"\}.*"Service":"cloudwatch\.amazonaws\.com"/,
    );
  });

  it('may be used by the functions to decrypt, by the monitor to encrypt what it writes, and for nothing else', () => {
    for (const name of ['detection', 'translation', 'control', 'monitor']) {
      const statements = at(keyed.one('AWS::IAM::Policy', `${name}Role`), 'PolicyDocument.Statement');
      const onKey = (statements as { Action: string | string[]; Resource: unknown }[]).filter((one) =>
        JSON.stringify(one).includes('kms:'),
      );
      expect(onKey.flatMap(({ Action }) => Action).toSorted()).toEqual([
        'kms:Decrypt',
        ...(name === 'monitor' ? ['kms:GenerateDataKey'] : []),
      ]);
      for (const { Resource } of onKey) expect(Resource).toEqual(arn);
    }
  });
});
