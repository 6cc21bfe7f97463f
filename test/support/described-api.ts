import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { type DescribedOperation, describeApi } from '../../infra/openapi/description.ts';

/** The description by which answers may have no member that it does not know. */
export const description = describeApi({ isClosed: true });

/** Every route that is described, e.g. `POST /translate`. */
export const describedRoutes: readonly string[] = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
);

const ajv = new Ajv2020({ strict: false, allErrors: true });
// The package is CommonJS, whose types hide that its function is all that it exports.
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
const compiled = new Map<string, ReturnType<Ajv2020['compile']>>();

/** What does not fit into the schema, in words. */
export function misfits(key: string, schema: object, value: unknown): readonly string[] {
  // Most answers share their schemas, and each takes long to compile.
  const name = '$ref' in schema ? String(schema.$ref) : key;
  const known = compiled.get(name) ?? ajv.compile({ ...schema, components: description.components });
  compiled.set(name, known);
  if (known(value)) return [];
  return (known.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** The described route that a request is for; undefined: none. */
export function operationFor(
  method: string,
  path: string,
): { path: string; operation: DescribedOperation } | undefined {
  const templates = Object.keys(description.paths).filter((template) => {
    const pattern = template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+');
    return new RegExp(`^${pattern}$`).test(path);
  });
  // `/admin/models/access` would be an id as well.
  const [template] = templates.sort((a, b) => a.split('{').length - b.split('{').length);
  const operation = template === undefined ? undefined : description.paths[template]?.[method.toLowerCase()];
  return template === undefined || operation === undefined ? undefined : { path: template, operation };
}

/** What is wrong with an answer by the description: its status, media type, body or headers. Empty: nothing. */
export async function complaints(method: string, url: string, response: Response): Promise<readonly string[]> {
  const path = url.split('?', 1)[0] ?? '';
  const found = operationFor(method, path);
  if (found === undefined) return [`${method} ${path} is not described`];
  const where = `${method} ${found.path} ${response.status}`;
  const answer = found.operation.responses[String(response.status)];
  if (answer === undefined) return [`${where} is not described`];
  const undescribed = [...exposed]
    .filter((header) => response.headers.has(header))
    .filter((header) => !Object.keys(answer.headers).some((known) => known.toLowerCase() === header))
    .map((header) => `${where}: the header ${header} is not described`);
  if (!response.headers.has('x-request-id')) undescribed.push(`${where}: the header x-request-id is missing`);
  const mediaType = response.headers.get('content-type');
  if (answer.content === undefined) return [...undescribed, ...(mediaType === null ? [] : [`${where} has a body`])];
  const described = Object.entries(answer.content).find(([known]) => known === mediaType);
  if (described === undefined) return [...undescribed, `${where} has the media type ${mediaType}`];
  const isJson = /^application\/(?:problem\+)?json$/.test(described[0]);
  const body: unknown = isJson ? await response.clone().json() : await response.clone().text();
  return [...undescribed, ...misfits(where, described[1].schema, body).map((misfit) => `${where}: ${misfit}`)];
}

/** Those that the description has a word about. */
const exposed = new Set(Object.keys(description.components['headers'] ?? {}).map((header) => header.toLowerCase()));
