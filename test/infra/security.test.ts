import { describe, expect, it } from 'vitest';
import type { StageInput } from '../../infra/config.ts';
import { insecuritiesOf, type ResourceJson, type TemplateJson } from './support/insecurities.ts';
import { at, synthesise } from './support/synthesise.ts';

/** Where the gateway has authorizers, and not the functions alone. */
const guarded = { authorization: { callers: { kind: 'iam' as const }, operators: { kind: 'iam' as const } } };

/** A copy of production's template. */
function production(changes: Partial<StageInput> = {}): TemplateJson {
  return structuredClone(synthesise('production', changes).template.toJSON() as TemplateJson);
}

/** The first resource of a type whose id begins so; its properties may be changed. */
function first({ Resources }: TemplateJson, type: string, idBegins = ''): Required<ResourceJson> {
  const [found] = Object.entries(Resources).filter(([id, one]) => one.Type === type && id.startsWith(idBegins));
  if (found === undefined) throw new Error(`there is no ${type} ${idBegins}`);
  const [, { Type, Properties = {} }] = found;
  found[1].Properties = Properties;
  return { Type, Properties };
}

/** The statements of a policy; they may be changed. */
function statementsOf({ Type, Properties = {} }: ResourceJson): Record<string, unknown>[] {
  return at({ Type, Properties }, 'PolicyDocument.Statement') as Record<string, unknown>[];
}

const policyOf = (template: TemplateJson) => statementsOf(first(template, 'AWS::IAM::Policy', 'translationRole'));

describe('the security of the stack', () => {
  it.each(['staging', 'production'] as const)('has nothing to object to in %s', (stage) => {
    for (const changes of [{}, guarded]) {
      expect(insecuritiesOf(synthesise(stage, changes).template.toJSON() as TemplateJson)).toEqual([]);
    }
  });

  it.each<[string, (template: TemplateJson) => unknown, RegExp, Partial<StageInput>?]>([
    [
      'a public bucket',
      (template) => delete first(template, 'AWS::S3::Bucket', 'ModelsC').Properties['PublicAccessBlockConfiguration'],
      /^Models.*: the bucket may become public$/,
    ],
    [
      'a bucket that takes plain HTTP',
      (template) => statementsOf(first(template, 'AWS::S3::BucketPolicy', 'ModelsPolicy')).splice(0, 1),
      /^ModelsC.*: takes requests without TLS$/,
    ],
    [
      'a bucket policy for anybody',
      (template) => {
        const policy = statementsOf(first(template, 'AWS::S3::BucketPolicy', 'ModelsPolicy'));
        policy.push({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' });
      },
      /lets anybody in/,
    ],
    [
      'objects that belong to who uploads them',
      (template) => delete first(template, 'AWS::S3::Bucket', 'ModelsC').Properties['OwnershipControls'],
      /objects may belong to others/,
    ],
    [
      'a bucket without encryption',
      (template) => delete first(template, 'AWS::S3::Bucket', 'ModelsC').Properties['BucketEncryption'],
      /is not encrypted/,
    ],
    [
      'a wildcard action',
      (template) => policyOf(template).push({ Effect: 'Allow', Action: 'dynamodb:*', Resource: 'x' }),
      /allows dynamodb:\*$/,
    ],
    [
      'an action on everything',
      (template) => policyOf(template).push({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }),
      /allows s3:GetObject on everything$/,
    ],
    [
      'a table statement without its partitions',
      (template) => {
        for (const one of policyOf(template)) delete one['Condition'];
      },
      /reaches every partition of the table$/,
    ],
    [
      'a route without its authorizer',
      (template) => {
        first(template, 'AWS::ApiGatewayV2::Route', 'HttpANYtranslate').Properties['AuthorizationType'] = 'NONE';
      },
      /ANY \/translate asks nobody who they are$/,
      guarded,
    ],
    [
      'an open admin route',
      (template) => delete first(template, 'AWS::ApiGatewayV2::Route', 'HttpANYadmin').Properties['AuthorizationType'],
      /ANY \/admin\/\{proxy\+\} asks nobody who they are$/,
      guarded,
    ],
    ...['ANY /translate-for-all', 'ANY /dashboards', '$default'].map(
      (key): [string, (template: TemplateJson) => unknown, RegExp] => [
        `a route that nobody has said to be open: ${key}`,
        (template) => {
          first(template, 'AWS::ApiGatewayV2::Route', 'HttpANYtranslate').Properties['RouteKey'] = key;
        },
        /asks nobody who they are$/,
      ],
    ),
    [
      'a stage without limits',
      (template) => delete first(template, 'AWS::ApiGatewayV2::Stage').Properties['DefaultRouteSettings'],
      /limits no requests$/,
    ],
    [
      'a stage without a log',
      (template) => delete first(template, 'AWS::ApiGatewayV2::Stage').Properties['AccessLogSettings'],
      /logs no access$/,
    ],
    [
      'a topic that takes plain HTTP',
      (template) => statementsOf(first(template, 'AWS::SNS::TopicPolicy')).splice(0, 1),
      /takes messages without TLS$/,
    ],
    [
      'a table that can be deleted',
      (template) => {
        first(template, 'AWS::DynamoDB::GlobalTable').Properties['Replicas'] = [
          { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
        ];
      },
      /can be deleted$/,
    ],
    [
      'a table that cannot be taken back',
      (template) => {
        first(template, 'AWS::DynamoDB::GlobalTable').Properties['Replicas'] = [{ DeletionProtectionEnabled: true }];
      },
      /cannot be taken back$/,
    ],
    [
      'a function that anybody may call',
      (template) => delete first(template, 'AWS::Lambda::Permission').Properties['SourceArn'],
      /lets anybody call$/,
    ],
    [
      'a function with an address of its own',
      (template) => {
        template.Resources['Url'] = { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'NONE' } };
      },
      /goes round the API$/,
    ],
  ])('would object to %s', (_, change, objection, changes) => {
    const template = production(changes);

    change(template);

    const found = insecuritiesOf(template);
    expect(found.filter((one) => objection.test(one))).not.toEqual([]);
  });
});
