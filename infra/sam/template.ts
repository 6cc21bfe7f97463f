import * as z from 'zod/mini';

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z._default(z.record(z.string(), z.unknown()), {}),
  Metadata: z.optional(z.record(z.string(), z.unknown())),
});
/** A CloudFormation template, as far as it matters here. */
export const templateSchema = z.object({ Resources: z.record(z.string(), resourceSchema) });

export type Template = z.infer<typeof templateSchema>;
type Resource = z.infer<typeof resourceSchema>;

/** A synthesised template has something that cannot be run locally as it is. */
export class SamTemplateError extends Error {
  override readonly name = 'SamTemplateError';
}

const refSchema = z.object({ Ref: z.string() });
const variablesSchema = z.record(z.string(), z.unknown());

/** What `sam local` looks at. The rest, roles and log groups, refers to resources that are not there. */
const functionProperties = [
  'Architectures',
  'Code',
  'EphemeralStorage',
  'Handler',
  'Layers',
  'MemorySize',
  'Runtime',
  'Timeout',
];

/**
 * The part of a synthesised template that `sam local start-api` runs: functions, layers, and the HTTP API with its routes.
 * - Assets are found by the metadata that the CDK's command line writes, relative to where the template lies.
 * - An integration that names an alias names the alias's function: sam has no aliases.
 * - Environment variables whose value is only known once deployed get the one of the same name from `variables`.
 * - Authorizers are left out: sam plays those of functions alone.
 * @param variables of every function; they replace what the template says
 * @throws SamTemplateError
 */
export function samTemplate(template: Template, variables: Readonly<Record<string, string>>): Template {
  const resources = template.Resources;
  const kept = Object.entries(resources).flatMap(([id, resource]): (readonly [string, Resource])[] => {
    const local = localResource(id, resource, resources, variables);
    return local === undefined ? [] : [[id, local]];
  });
  return { Resources: Object.fromEntries(kept) };
}

function localResource(
  id: string,
  resource: Resource,
  resources: Template['Resources'],
  variables: Readonly<Record<string, string>>,
): Resource | undefined {
  const { Properties: properties } = resource;
  switch (resource.Type) {
    case 'AWS::Lambda::Function':
      return localFunction(id, resource, variables);
    case 'AWS::Lambda::LayerVersion':
      checkAsset(id, resource);
      return resource;
    case 'AWS::ApiGatewayV2::Api':
      return { Type: resource.Type, Properties: only(properties, ['Name', 'ProtocolType', 'CorsConfiguration']) };
    case 'AWS::ApiGatewayV2::Stage':
      return { Type: resource.Type, Properties: only(properties, ['ApiId', 'StageName']) };
    case 'AWS::ApiGatewayV2::Route':
      return { Type: resource.Type, Properties: only(properties, ['ApiId', 'RouteKey', 'Target']) };
    case 'AWS::ApiGatewayV2::Integration': {
      const target = { 'Fn::GetAtt': [functionOf(id, properties['IntegrationUri'], resources), 'Arn'] };
      return { Type: resource.Type, Properties: { ...properties, IntegrationUri: target } };
    }
    default:
      return undefined;
  }
}

function localFunction(id: string, resource: Resource, variables: Readonly<Record<string, string>>): Resource {
  checkAsset(id, resource);
  const { Variables: synthesised = {} } = z
    .object({ Variables: z.optional(variablesSchema) })
    .parse(resource.Properties['Environment'] ?? {});
  const all = { ...synthesised, ...variables };
  const unknown = Object.entries(all).filter(([, value]) => typeof value !== 'string');
  if (unknown.length > 0) {
    throw new SamTemplateError(`${id}: no value is known for ${unknown.map(([name]) => name).join(', ')}`);
  }
  return {
    Type: resource.Type,
    Properties: { ...only(resource.Properties, functionProperties), Environment: { Variables: all } },
    Metadata: resource.Metadata,
  };
}

function checkAsset(id: string, { Metadata: metadata = {} }: Resource): void {
  if (typeof metadata['aws:asset:path'] === 'string' && typeof metadata['aws:asset:property'] === 'string') return;
  throw new SamTemplateError(`${id}: its asset's metadata is missing, which the CDK's command line writes`);
}

/** The id of the function that an integration calls, through an alias if need be. */
function functionOf(id: string, uri: unknown, resources: Template['Resources']): string {
  let reference = uri;
  for (;;) {
    const target = refSchema.safeParse(reference).data?.Ref;
    const resource = target === undefined ? undefined : resources[target];
    if (target === undefined || resource === undefined) {
      throw new SamTemplateError(`${id}: it is not clear which function it calls`);
    }
    if (resource.Type === 'AWS::Lambda::Function') return target;
    // An alias; what it is not has no function's name.
    reference = resource.Properties['FunctionName'];
  }
}

function only(properties: Resource['Properties'], names: readonly string[]): Resource['Properties'] {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => names.includes(name)));
}
