import * as z from 'zod/mini';
import { controlAccess } from '../../functions/control/access.ts';
import { inferenceAccess } from '../../functions/inference/access.ts';
import { isLibreTranslatePath } from '../../functions/inference/libretranslate-failure.ts';
import { isPipelinePath } from '../../functions/inference/pipeline-envelope.ts';
import { VERSION } from '../../shared/config/version.ts';
import { ruleFor } from '../../shared/http/auth/access-rules.ts';
import { failureHeaders, failureWords, headers, requestId } from './common.ts';
import type { Answer, Body, Content, JsonSchema, Operation } from './operation.ts';
import { adminOperations } from './operations/admin.ts';
import { healthOperations } from './operations/health.ts';
import { pageOperations } from './operations/pages.ts';
import { libreTranslate, pipelines } from './operations/translation.ts';
import { named } from './schemas/named.ts';
import { pipelineFailure, problem } from './schemas/problem.ts';

/** Every route that the gateway has, in the order in which people read of it. */
export const operations: readonly Operation[] = [
  ...libreTranslate,
  ...pipelines,
  ...healthOperations,
  ...adminOperations,
  ...pageOperations,
];

const tags = [
  { name: 'LibreTranslate', description: "LibreTranslate's surface: its clients work unchanged." },
  { name: 'Pipeline', description: "CasaLingua's own surface, with its envelope." },
  { name: 'Health', description: 'How the service is.' },
  {
    name: 'Admin',
    description: 'What operators see and do. On a fleet an action is a wish, which the instances carry out.',
  },
  { name: 'Pages', description: 'What is there for people.' },
];

/** The API in OpenAPI 3.1, from the schemas that validate its requests. */
export interface Description {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
}

export interface DescribedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly JsonSchema[];
  readonly requestBody?: JsonSchema;
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
}

export interface DescribedAnswer {
  readonly description: string;
  readonly headers: Readonly<Record<string, JsonSchema>>;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

/**
 * @param isClosed whether answers may have no other members than those described: right for a test of this version, wrong for
 *   clients that outlive it
 */
export function describeApi({ isClosed }: { readonly isClosed: boolean }): Description {
  const paths: Record<string, Record<string, DescribedOperation>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: described(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'CasaLingua',
      version: VERSION,
      description:
        'Translation and language detection for housing services. Keys: `Authorization: Bearer cslg_…`; LibreTranslate’s clients may send theirs as `api_key`. What the gateway itself refuses (its throttle, 30 s, 10 MB) has a body of its own.',
    },
    tags,
    paths,
    components: { schemas: schemas(isClosed), securitySchemes, headers },
  };
}

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key (`cslg_…`), or a token where the gateway checks such.',
  },
  api_key: { type: 'apiKey', in: 'query', name: 'api_key', description: "LibreTranslate's; better in the body." },
};

function described(operation: Operation): DescribedOperation {
  const { path, tag, summary, description, parameters = [], body, answers, failures } = operation;
  const failed = failures.map((status) => [status, failureOf(path, status)] as const);
  const all = [...Object.entries(answers), ...failed].sort(([a], [b]) => Number(a) - Number(b));
  return {
    operationId: operationIdOf(operation),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: securityOf(operation),
    parameters: [...parameters, requestId].map((parameter) => ({ ...parameter, required: parameter.in === 'path' })),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: Object.fromEntries(all.map(([status, answer]) => [String(status), describedAnswer(answer)])),
  };
}

/** E.g. `postAdminModelsIdLoad`. */
function operationIdOf({ method, path }: Operation): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** By the rules that the apps themselves go by. */
function securityOf({ method, path }: Operation): DescribedOperation['security'] {
  const rule = ruleFor([...inferenceAccess, ...controlAccess], method.toUpperCase(), path);
  if (rule === undefined) throw new Error(`no rule says who may call ${path}`);
  if (rule.needs === 'nothing') return [];
  return [{ bearer: [] }, ...(rule.keyIn === undefined ? [] : [{ api_key: [] }])];
}

function failureOf(path: string, status: number): Answer {
  const description = failureWords[status];
  if (description === undefined) throw new Error(`nobody has said what ${status} means`);
  const [mediaType, schema] = isPipelinePath(path)
    ? (['application/json', pipelineFailure] as const)
    : (['application/problem+json', problem] as const);
  return {
    description: isLibreTranslatePath(path) && status === 400 ? `${description} Or there is no key.` : description,
    content: { [mediaType]: schema },
    headers: failureHeaders[status] ?? [],
  };
}

function describedAnswer({ description, content, headers: own = [] }: Answer): DescribedAnswer {
  const names = ['X-Request-Id', ...own];
  return {
    description,
    headers: Object.fromEntries(names.map((header) => [header, { $ref: `#/components/headers/${header}` }])),
    ...(content === undefined
      ? {}
      : {
          content: Object.fromEntries(
            Object.entries(content).map(([mediaType, schema]) => [mediaType, { schema: schemaOf(schema) }]),
          ),
        }),
  };
}

function schemaOf(content: Content): JsonSchema {
  if (!(content instanceof z.ZodMiniType)) return content;
  const id = named.get(content)?.id;
  if (id === undefined) throw new Error('a schema of an answer has no name');
  return { $ref: `#/components/schemas/${id}` };
}

function requestBody({
  schema,
  required = [],
  members = {},
  mediaTypes,
  isOptional = false,
  example,
}: Body): JsonSchema {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });
  const described = { ...converted, ...withMembers(converted, required, members) };
  const content = { schema: described, ...(example === undefined ? {} : { example }) };
  return {
    required: !isOptional,
    content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, content])),
  };
}

/** What a member must be is the validator's word, down to what may not be empty; the rest is for people. */
function withMembers(
  { properties = {} }: JsonSchema & { readonly properties?: unknown },
  required: readonly string[],
  members: Body['members'],
): JsonSchema {
  const known = Object.entries(properties as Record<string, JsonSchema>);
  if (known.length === 0) return {};
  const all = known.map(([name, schema]) => {
    const stated = required.includes(name) ? notEmpty(schema) : schema;
    return [name, { ...stated, ...members?.[name] }] as const;
  });
  return { properties: Object.fromEntries(all), ...(required.length === 0 ? {} : { required }) };
}

function notEmpty(schema: JsonSchema): JsonSchema {
  const { anyOf, type } = schema;
  if (Array.isArray(anyOf)) {
    const options = (anyOf as readonly JsonSchema[]).filter((option) => option['type'] !== 'null').map(notEmpty);
    const [only] = options;
    return only !== undefined && options.length === 1 ? only : { anyOf: options };
  }
  if (Array.isArray(type)) {
    const types = (type as readonly string[]).filter((one) => one !== 'null');
    return notEmpty({ ...schema, type: types.length === 1 ? types[0] : types });
  }
  if (type === 'string') return { ...schema, minLength: 1 };
  return type === 'array' ? { ...schema, minItems: 1 } : schema;
}

function schemas(isClosed: boolean): Readonly<Record<string, JsonSchema>> {
  const { schemas: converted } = z.toJSONSchema(named, {
    io: 'output',
    target: 'draft-2020-12',
    metadata: named,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      if (!isClosed && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return Object.fromEntries(
    Object.entries(converted).map(([key, { $schema: _, $id: __, id: ___, ...schema }]) => [key, schema]),
  );
}
