import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localVariables } from '../../infra/sam/local-variables.ts';
import { SamTemplateError, samTemplate, type Template } from '../../infra/sam/template.ts';
import { writeSamTemplate } from '../../infra/sam/write-template.ts';
import { readSamTemplate } from '../support/sam-reader.ts';

const asset = (name: string, property: string) => ({
  'aws:asset:path': `asset.${name}`,
  'aws:asset:property': property,
});

/** A stack as the CDK's command line synthesises it, with one of each kind. */
const resources: Template['Resources'] = {
  Bucket: { Type: 'AWS::S3::Bucket', Properties: {} },
  Fonts: {
    Type: 'AWS::Lambda::LayerVersion',
    Properties: { Content: { S3Key: 'x' } },
    Metadata: asset('fonts', 'Content'),
  },
  Inference: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Architectures: ['arm64'],
      Code: { S3Bucket: { 'Fn::Sub': 'assets' }, S3Key: 'abc.zip' },
      Environment: { Variables: { CASALINGUA_MODEL_BUCKET: { Ref: 'Bucket' }, CASALINGUA_THREADS: '2' } },
      Handler: 'index.handler',
      Layers: [{ Ref: 'Fonts' }],
      MemorySize: 4096,
      Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
      Runtime: 'nodejs24.x',
      Timeout: 30,
    },
    Metadata: asset('abc', 'Code'),
  },
  Live: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: { Ref: 'Inference' }, Name: 'live' } },
  Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'api', ProtocolType: 'HTTP', Tags: { a: 'b' } } },
  Integration: {
    Type: 'AWS::ApiGatewayV2::Integration',
    Properties: { ApiId: { Ref: 'Api' }, IntegrationUri: { Ref: 'Live' }, PayloadFormatVersion: '2.0' },
  },
  Route: {
    Type: 'AWS::ApiGatewayV2::Route',
    Properties: {
      ApiId: { Ref: 'Api' },
      AuthorizationType: 'JWT',
      AuthorizerId: { Ref: 'Authorizer' },
      RouteKey: 'ANY /translate',
      Target: { 'Fn::Join': ['', ['integrations/', { Ref: 'Integration' }]] },
    },
  },
  Stage: {
    Type: 'AWS::ApiGatewayV2::Stage',
    Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AccessLogSettings: { DestinationArn: { Ref: 'Log' } } },
  },
};

const variables = localVariables({ host: 'stores.local', s3Port: 3001, dynamoPort: 3002 });

function withChanged(id: string, changes: object): Template {
  return {
    Resources: { ...resources, [id]: { Type: 'AWS::Lambda::Function', Properties: {}, ...resources[id], ...changes } },
  };
}

describe('the template for sam', () => {
  it('tells sam where code and layers lie, and all else that it needs of a function', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'casalingua-sam-'));
    writeFileSync(join(folder, 'Stack.template.json'), JSON.stringify({ Resources: resources }));

    const { functions, routes } = readSamTemplate(await writeSamTemplate(folder, 'Stack', variables));

    expect(functions).toEqual([
      {
        name: 'Inference',
        folder: join(folder, 'asset.abc'),
        handler: 'index.handler',
        runtime: 'nodejs24.x',
        memoryMb: 4096,
        timeoutSeconds: 30,
        environment: {
          CASALINGUA_THREADS: '2',
          CASALINGUA_MODEL_BUCKET: 'casalingua-models',
          CASALINGUA_TABLE: 'casalingua',
          CASALINGUA_INFERENCE_FUNCTIONS: '',
          AWS_ENDPOINT_URL_S3: 'http://stores.local:3001',
          AWS_ENDPOINT_URL_DYNAMODB: 'http://stores.local:3002',
          AWS_ACCESS_KEY_ID: 'local',
          AWS_SECRET_ACCESS_KEY: 'local',
        },
        layers: [join(folder, 'asset.fonts')],
      },
    ]);
    expect(routes).toEqual([{ method: 'ANY', path: '/translate', function: 'Inference' }]);
  });

  it('refers to nothing that it does not have', () => {
    const text = JSON.stringify(samTemplate({ Resources: resources }, variables));

    const names = [...text.matchAll(/"(?:Ref|Fn::GetAtt)":(?:\[)?"(\w+)"/g)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(0);
    expect(
      names.filter((name) => !Object.keys(samTemplate({ Resources: resources }, variables).Resources).includes(name)),
    ).toEqual([]);
  });

  it('says which variables it knows no value for', () => {
    const unknown = withChanged('Inference', {
      Properties: {
        Environment: { Variables: { CASALINGUA_QUEUE: { Ref: 'Queue' }, CASALINGUA_TABLE: { Ref: 'Table' } } },
      },
    });

    expect(() => samTemplate(unknown, variables)).toThrow(
      new SamTemplateError('Inference: no value is known for CASALINGUA_QUEUE'),
    );
  });

  it.each(['Inference', 'Fonts'])(
    'wants the metadata of assets, which is not there without the command line: %s',
    (id) => {
      const bare = withChanged(id, { Metadata: { 'aws:cdk:path': 'Stack/x' } });

      expect(() => samTemplate(bare, variables)).toThrow(`${id}: its asset's metadata is missing`);
    },
  );

  it('says which integration calls nobody that it knows', () => {
    const lost = withChanged('Live', { Properties: { FunctionName: { Ref: 'Gone' } } });

    expect(() => samTemplate(lost, variables)).toThrow('Integration: it is not clear which function it calls');
  });

  it('is not written when the stage was not synthesised', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'casalingua-sam-'));

    await expect(writeSamTemplate(folder, 'Stack', variables)).rejects.toThrow('was the stage synthesised?');
  });
});
