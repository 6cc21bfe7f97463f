import { createServer, request as send } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { closeServer, listenOnLoopback } from '../../../infra/local/listen.ts';
import type { Names, Right } from './deployed-template.ts';

/** What one request asks for, in the words of IAM. */
interface Asked {
  readonly action: string;
  readonly resource: string;
  /** Partitions of the table that it touches. */
  readonly partitions: readonly string[];
}

export interface RightsProxy {
  readonly endpoint: string;
  /** Every kind of call that was let through, e.g. `dynamodb:Query INSTANCES#0`. */
  readonly allowed: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Stands before a store and lets through what the rights allow, as IAM would. */
export async function startRightsProxy(
  store: 's3' | 'dynamodb',
  target: string,
  rights: readonly Right[],
  names: Names,
): Promise<RightsProxy> {
  const allowed = new Set<string>();
  const refused = new Set<string>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const asked =
      store === 's3'
        ? askedOfS3(request.method ?? '', request.url ?? '/', names)
        : askedOfDynamo(String(request.headers['x-amz-target']), JSON.parse(body.toString('utf8')), names);
    const what = [asked.action, ...(asked.partitions.length > 0 ? asked.partitions : [asked.resource])].join(' ');
    if (!rights.some((right) => covers(right, asked))) {
      refused.add(what);
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: 'AccessDeniedException', message: 'not allowed' }));
      return;
    }
    allowed.add(what);
    const { hostname, port } = new URL(target);
    const { method, headers, url: path } = request;
    send({ hostname, port, method, headers, path }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    })
      .on('error', () => response.destroy())
      .end(body);
  });
  const port = await listenOnLoopback(server, 0);
  return { endpoint: `http://127.0.0.1:${port}`, allowed, refused, close: () => closeServer(server) };
}

function covers(right: Right, { action, resource, partitions }: Asked): boolean {
  return (
    right.actions.includes(action) &&
    right.resources.some((pattern) => isLike(resource, pattern)) &&
    (right.partitions === undefined ||
      (partitions.length > 0 &&
        partitions.every((partition) => right.partitions?.some((pattern) => isLike(partition, pattern)))))
  );
}

/** As IAM's StringLike, of which `*` at the end is all that is used here. */
function isLike(value: string, pattern: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

function askedOfS3(method: string, url: string, { bucket }: Names): Asked {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const [, , ...key] = decodeURIComponent(pathname).split('/');
  const objectAction = { GET: 's3:GetObject', PUT: 's3:PutObject' }[method];
  if (objectAction !== undefined && key.join('/') !== '') {
    return { action: objectAction, resource: `${bucket}/${key.join('/')}`, partitions: [] };
  }
  const action = method === 'GET' && searchParams.has('list-type') ? 's3:ListBucket' : `s3:${method}`;
  return { action, resource: bucket, partitions: [] };
}

interface DynamoBody {
  readonly TableName?: string;
  readonly Key?: { readonly pk: { readonly S: string } };
  readonly Item?: { readonly pk: { readonly S: string } };
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>;
  readonly RequestItems?: Readonly<
    Record<string, { readonly Keys: readonly { readonly pk: { readonly S: string } }[] }>
  >;
}

function askedOfDynamo(target: string, body: DynamoBody, { table }: Names): Asked {
  const [, call = ''] = target.split('.');
  const keys = body.RequestItems?.[table]?.Keys ?? [body.Key ?? body.Item].filter((key) => key !== undefined);
  const queried = call === 'Query' ? [body.ExpressionAttributeValues?.[':pk']?.S ?? ''] : [];
  return {
    action: `dynamodb:${call}`,
    resource: body.TableName ?? Object.keys(body.RequestItems ?? {}).join(','),
    partitions: [...keys.map((key) => key.pk.S), ...queried],
  };
}
