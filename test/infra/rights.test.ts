import { describe, expect, it } from 'vitest';
import { at, synthesise } from './support/synthesise.ts';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

describe('the rights of the functions of production', () => {
  const production = synthesise('production');
  const table = { 'Fn::GetAtt': [production.idOf('AWS::DynamoDB::GlobalTable', 'Table'), 'Arn'] };
  const bucketArn = { 'Fn::GetAtt': [production.idOf('AWS::S3::Bucket', 'ModelsC'), 'Arn'] };

  const statementsOf = (name: string): readonly Statement[] =>
    at(production.one('AWS::IAM::Policy', `${name}Role`), 'PolicyDocument.Statement') as readonly Statement[];

  /** The statements on the table, each as its actions and the partitions. */
  const onTable = (name: string) =>
    statementsOf(name)
      .filter(({ Resource }) => JSON.stringify(Resource) === JSON.stringify(table))
      .map(({ Action, Condition }) => ({ Action, Condition }));
  const partitions = (...keys: string[]) => ({
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  });
  const read = (id: string) => ({ 'Fn::Join': ['', [bucketArn, `/models/${id}/*`]] });

  it('let a group of models do to the table what its calls do, each on its own partitions', () => {
    for (const name of ['detection', 'translation']) {
      expect(onTable(name)).toEqual([
        { Action: 'dynamodb:GetItem', Condition: partitions('BREAKER', 'KEY#*', 'LOAD#*', 'RATE#*', 'VOTE#*') },
        { Action: 'dynamodb:UpdateItem', Condition: partitions('BREAKER', 'LOAD#*', 'RATE#*', 'VOTE#*') },
        { Action: 'dynamodb:BatchGetItem', Condition: partitions('MODEL#*') },
        { Action: 'dynamodb:Query', Condition: partitions('INSTANCES#*', 'WISH') },
        { Action: ['dynamodb:DeleteItem', 'dynamodb:PutItem'], Condition: partitions('INSTANCES#*') },
      ]);
    }
  });

  it('let the control function read, and write what operators say', () => {
    expect(onTable('control')).toEqual([
      { Action: 'dynamodb:GetItem', Condition: partitions('BREAKER', 'KEY#*', 'MODEL#*', 'WISH') },
      { Action: 'dynamodb:UpdateItem', Condition: partitions('BREAKER', 'MODEL#*', 'WISH') },
      { Action: 'dynamodb:BatchGetItem', Condition: partitions('MODEL#*') },
      { Action: 'dynamodb:Query', Condition: partitions('INSTANCES#*', 'WISH') },
    ]);
  });

  it('let the control function alone wake the groups, by their aliases, and it is told them', () => {
    const aliases = ['detection', 'translation'].map((name) => ({
      Ref: production.idOf('AWS::Lambda::Alias', `${name}Live`),
    }));
    const invoking = (name: string) =>
      statementsOf(name).filter(({ Action }) => JSON.stringify(Action).includes('"lambda:'));

    expect(invoking('control')).toEqual([{ Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: aliases }]);
    expect(at(production.one('AWS::Lambda::Function', 'control'), 'Environment.Variables')).toMatchObject({
      CASALINGUA_INFERENCE_FUNCTIONS: { 'Fn::Join': ['', [aliases[0], ',', aliases[1]]] },
    });
    for (const name of ['detection', 'translation', 'monitor']) expect(invoking(name)).toEqual([]);
  });

  it('let the control function list the versions of the models that the groups serve', () => {
    expect(statementsOf('control')).toContainEqual({
      Action: 's3:ListBucket',
      Effect: 'Allow',
      Resource: bucketArn,
      Condition: {
        StringEquals: {
          's3:prefix': ['models/language-detection/', 'models/translate-en-es/', 'models/translate-es-en/'],
        },
      },
    });
  });

  it('let the monitor write the digest alone', () => {
    expect(onTable('monitor')).toEqual([
      { Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], Condition: partitions('BREAKER') },
      { Action: 'dynamodb:Query', Condition: partitions('INSTANCES#*', 'WISH') },
    ]);
  });

  it('let a group read the models that it serves, and list nothing', () => {
    const onBucket = (name: string) =>
      statementsOf(name).filter(({ Action }) => JSON.stringify(Action).includes('"s3:'));

    expect(onBucket('detection')).toEqual([
      { Action: 's3:GetObject', Effect: 'Allow', Resource: read('language-detection') },
    ]);
    expect(onBucket('translation')).toEqual([
      {
        Action: 's3:GetObject',
        Effect: 'Allow',
        Resource: ['language-detection', 'translate-en-es', 'translate-es-en'].map(read),
      },
    ]);
  });

  it('let the monitor write memory snapshots, and control list and read them', () => {
    const snapshots = { 'Fn::Join': ['', [bucketArn, '/metrics/*']] };
    const about = (name: string) =>
      statementsOf(name).filter((one) => /"s3:/.test(JSON.stringify(one)) && /metrics/.test(JSON.stringify(one)));

    expect(statementsOf('monitor').filter(({ Action }) => JSON.stringify(Action).includes('"s3:'))).toEqual([
      { Action: 's3:PutObject', Effect: 'Allow', Resource: snapshots },
    ]);
    expect(JSON.stringify(about('control'))).toContain('"s3:GetObject"');
    expect(about('control')).toContainEqual({
      Action: 's3:ListBucket',
      Effect: 'Allow',
      Resource: bucketArn,
      Condition: { StringLike: { 's3:prefix': 'metrics/*' } },
    });
    for (const name of ['detection', 'translation']) expect(about(name)).toEqual([]);
  });

  it('let each write its own log and traces, and that is all', () => {
    for (const name of ['detection', 'translation', 'control', 'monitor']) {
      const log = { 'Fn::GetAtt': [production.idOf('AWS::Logs::LogGroup', `${name}Log`), 'Arn'] };
      const others = statementsOf(name).filter(({ Action }) => !/"(dynamodb|s3|lambda):/.test(JSON.stringify(Action)));
      expect(others).toEqual([
        { Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Effect: 'Allow', Resource: log },
        { Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Effect: 'Allow', Resource: '*' },
      ]);
    }
  });

  it('come from no policy but those, AWS-managed ones included', () => {
    for (const role of Object.entries(production.resources).filter(([id]) =>
      /^(detection|translation|control|monitor)Role/.test(id),
    )) {
      expect(role[1].Properties ?? {}).not.toHaveProperty('ManagedPolicyArns');
    }
    expect(production.of('AWS::IAM::ManagedPolicy')).toEqual([]);
  });

  it('let a group that serves all models list their part of the bucket', () => {
    const dev = synthesise('dev');

    const policy = at(dev.one('AWS::IAM::Policy', 'inferenceRole'), 'PolicyDocument.Statement');

    expect(policy).toContainEqual({
      Action: 's3:ListBucket',
      Effect: 'Allow',
      Resource: { 'Fn::GetAtt': [dev.idOf('AWS::S3::Bucket', 'ModelsC'), 'Arn'] },
      Condition: { StringLike: { 's3:prefix': 'models/*' } },
    });
  });
});
