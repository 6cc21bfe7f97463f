import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A statement of a role, with names of resources in place of their ARNs. */
export interface Right {
  readonly actions: readonly string[];
  /** E.g. `TABLE`, `BUCKET/models/x/*`. */
  readonly resources: readonly string[];
  /** Partitions of the table; undefined: it has no such condition. */
  readonly partitions: readonly string[] | undefined;
}

/** A function as CloudFormation would make it. */
export interface DeployedFunction {
  readonly name: string;
  /** Of its code, in the cloud assembly. */
  readonly folder: string;
  readonly handler: string;
  readonly runtime: string;
  readonly memoryMb: number;
  readonly timeoutMs: number;
  /** References to table and bucket replaced. */
  readonly environment: Readonly<Record<string, string>>;
  readonly rights: readonly Right[];
}

export interface DeployedRoute {
  readonly path: string;
  readonly function: string;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What stands for the stack's stores. */
export interface Names {
  readonly table: string;
  readonly bucket: string;
}

/** Reads functions, their rights and routes from a template of the command line, and nothing else. */
export function readDeployedTemplate(
  assembly: string,
  stack: string,
  names: Names,
): { readonly functions: readonly DeployedFunction[]; readonly routes: readonly DeployedRoute[] } {
  const template: Json = JSON.parse(readFileSync(join(assembly, `${stack}.template.json`), 'utf8'));
  const resources = Object.entries(members(members(template)['Resources'])).map(([id, json]) => ({ id, json }));
  const ofType = (type: string) => resources.filter(({ json }) => text(get(json, 'Type')) === type);
  const typeOf = (id: string) => text(get(resources.find((one) => one.id === id)?.json ?? null, 'Type'));
  const propertyOf = (id: string, path: string) =>
    get(resources.find((one) => one.id === id)?.json ?? null, `Properties.${path}`);

  /** A value as it will be, as far as it matters here. */
  const told = (value: Json): string => {
    if (typeof value !== 'object' || value === null) return String(value);
    const [[kind, inner] = ['', null]] = Object.entries(value);
    if (kind === 'Fn::Join')
      return list(list(inner)[1] ?? null)
        .map(told)
        .join('');
    const id = kind === 'Fn::GetAtt' ? text(list(inner)[0] ?? null) : text(inner);
    switch (typeOf(id)) {
      case 'AWS::DynamoDB::GlobalTable':
        return names.table;
      case 'AWS::S3::Bucket':
        return names.bucket;
      default:
        return id;
    }
  };

  const functions = ofType('AWS::Lambda::Function').map(({ id, json }): DeployedFunction => {
    const property = (path: string) => get(json, `Properties.${path}`);
    const role = told(property('Role'));
    const policies = ofType('AWS::IAM::Policy').filter((policy) =>
      list(get(policy.json, 'Properties.Roles')).some((one) => told(one) === role),
    );
    return {
      name: id,
      folder: join(assembly, text(members(get(json, 'Metadata'))['aws:asset:path'] ?? null)),
      handler: text(property('Handler')),
      runtime: text(property('Runtime')),
      memoryMb: Number(property('MemorySize')),
      timeoutMs: Number(property('Timeout')) * 1000,
      environment: Object.fromEntries(
        Object.entries(members(property('Environment.Variables'))).map(([name, value]) => [name, told(value)]),
      ),
      rights: policies
        .flatMap((policy) => list(get(policy.json, 'Properties.PolicyDocument.Statement')))
        .map((statement) => {
          const partitions = members(get(statement, 'Condition.ForAllValues:StringLike'))['dynamodb:LeadingKeys'];
          return {
            actions: listed(get(statement, 'Action')).map(text),
            resources: listed(get(statement, 'Resource')).map(told),
            partitions: partitions === undefined ? undefined : listed(partitions).map(text),
          };
        }),
    };
  });
  const routes = ofType('AWS::ApiGatewayV2::Route').map(({ json }): DeployedRoute => {
    const [, path = ''] = text(get(json, 'Properties.RouteKey')).split(' ');
    const integration = told(get(json, 'Properties.Target')).replace('integrations/', '');
    const alias = told(propertyOf(integration, 'IntegrationUri'));
    return { path, function: told(propertyOf(alias, 'FunctionName')) };
  });
  return { functions, routes };
}

function get(value: Json, path: string): Json {
  return path.split('.').reduce((inner, name) => members(inner)[name] ?? null, value);
}

function members(value: Json | undefined): { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: Json })
    : {};
}

function list(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function listed(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value];
}

function text(value: Json): string {
  return typeof value === 'string' ? value : '';
}
