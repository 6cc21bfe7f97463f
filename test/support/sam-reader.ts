import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A function as `sam local` finds it in a template. */
export interface SamFunction {
  readonly name: string;
  /** Of its code. */
  readonly folder: string;
  readonly handler: string;
  readonly runtime: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Folders of its layers, in their order. */
  readonly layers: readonly string[];
}

export interface SamRoute {
  readonly method: string;
  readonly path: string;
  readonly function: string;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type Members = { readonly [name: string]: Json };

interface Resource {
  readonly Type: string;
  readonly Properties: Members;
  readonly Metadata?: Members;
}

/**
 * Reads a template by sam's rules, from the file and what lies beside it alone: the metadata of an asset replaces the property
 * that it names, by a path from the template's folder; a `Ref` to a resource is its id, `Arn` of a function an ARN with its id in
 * it; an integration calls the function whose name is in its URI. Whatever sam could not resolve is an error here.
 */
export function readSamTemplate(path: string): { functions: readonly SamFunction[]; routes: readonly SamRoute[] } {
  const template: { Resources: Record<string, Resource> } = JSON.parse(readFileSync(path, 'utf8'));
  const all = Object.entries(template.Resources).map(([id, resource]) => {
    return { id, type: resource.Type, properties: normalised(resource, template.Resources) };
  });
  const ofType = (type: string) => all.filter((one) => one.type === type);
  const folderOf = (code: Json | undefined) => resolve(dirname(path), text(code));

  const layers = new Map(
    ofType('AWS::Lambda::LayerVersion').map((one) => [one.id, folderOf(one.properties['Content'])]),
  );
  const functions = ofType('AWS::Lambda::Function').map(({ id, properties }): SamFunction => {
    const variables = members(members(properties['Environment'])['Variables']);
    return {
      name: id,
      folder: folderOf(properties['Code']),
      handler: text(properties['Handler']),
      runtime: text(properties['Runtime']),
      memoryMb: Number(properties['MemorySize']),
      timeoutSeconds: Number(properties['Timeout']),
      environment: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, text(value)])),
      layers: list(properties['Layers'] ?? []).map(
        (layer) => layers.get(text(layer)) ?? fail(`no layer ${text(layer)}`),
      ),
    };
  });
  const integrations = new Map(ofType('AWS::ApiGatewayV2::Integration').map((one) => [one.id, one.properties]));
  const routes = ofType('AWS::ApiGatewayV2::Route').map(({ properties }): SamRoute => {
    const [method = '', route = ''] = text(properties['RouteKey']).split(' ');
    const id = text(properties['Target']).split('/')[1] ?? '';
    const uri = text(integrations.get(id)?.['IntegrationUri']);
    const name = /:lambda:[^:]*:[^:]*:function:([^:/]+)/.exec(uri)?.[1];
    return { method, path: route, function: name ?? fail(`no function in ${uri}`) };
  });
  return { functions, routes };
}

function normalised(
  { Properties: properties, Metadata: metadata = {} }: Resource,
  all: Record<string, Resource>,
): Members {
  const property = metadata['aws:asset:property'];
  const asset = metadata['aws:asset:path'];
  const own = property === undefined || asset === undefined ? properties : { ...properties, [text(property)]: asset };
  return members(resolved(own, all));
}

function resolved(value: Json, all: Record<string, Resource>): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((one) => resolved(one, all));
  const [name, argument] = Object.entries(value)[0] ?? [];
  if (Object.keys(value).length === 1 && name !== undefined && argument !== undefined) {
    if (name === 'Ref') return text(argument) in all ? argument : fail(`nothing is called ${text(argument)}`);
    if (name === 'Fn::GetAtt') return arnOf(list(argument).map(text), all);
    if (name === 'Fn::Join') return joined(list(argument), all);
    if (name.startsWith('Fn::')) return fail(`${name} is not resolved`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one, all)]));
}

function arnOf([id = '', attribute]: readonly string[], all: Record<string, Resource>): string {
  if (attribute !== 'Arn' || all[id]?.Type !== 'AWS::Lambda::Function') return fail(`${id}.${attribute} is not known`);
  return `arn:aws:lambda:us-east-1:123456789012:function:${id}`;
}

function joined([separator = '', parts = []]: readonly Json[], all: Record<string, Resource>): string {
  return list(resolved(parts, all)).map(text).join(text(separator));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function list(value: Json): readonly Json[] {
  return isList(value) ? value : fail(`${JSON.stringify(value)} is not a list`);
}

function members(value: Json | undefined): Members {
  return typeof value === 'object' && value !== null && !isList(value)
    ? value
    : fail(`${JSON.stringify(value)} has no members`);
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : fail(`${JSON.stringify(value)} is not a text`);
}

function fail(message: string): never {
  throw new Error(message);
}
