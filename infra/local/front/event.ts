import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { RouteMatch } from '../../routes.ts';

/** One HTTP request, read to its end. */
export interface GatewayRequest {
  readonly method: string;
  /** Path and query as they came over the wire. */
  readonly url: string;
  readonly headers: IncomingMessage['headersDistinct'];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly protocol: string;
}

export interface EventContext {
  readonly requestId: string;
  /** Wall clock, ms since the epoch. */
  readonly now: number;
  readonly route: RouteMatch;
}

/** The path as an HTTP API hands it on: percent-decoded. Undefined when it can't be decoded. */
export function decodedPath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split('?', 1)[0] ?? '/');
  } catch {
    return undefined;
  }
}

/** API Gateway's HTTP API event, payload format 2.0. */
export function toEvent(request: GatewayRequest, context: EventContext): APIGatewayProxyEventV2 {
  const { method, url, headers, body } = request;
  const path = decodedPath(url) ?? url;
  const question = url.indexOf('?');
  const rawQueryString = question < 0 ? '' : url.slice(question + 1);
  const query = joinedQuery(rawQueryString);
  const cookies = (headers['cookie'] ?? []).flatMap((header) => header.split(/;\s*/)).filter((cookie) => cookie !== '');
  const joined = joinedHeaders(headers);
  const domainName = joined['host'] ?? 'localhost';
  const asText = isTextType(joined['content-type']) && isUtf8(body);
  return {
    version: '2.0',
    routeKey: context.route.routeKey,
    rawPath: path,
    rawQueryString,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: {
      ...joined,
      'x-amzn-trace-id': `Root=1-${Math.floor(context.now / 1000).toString(16)}-${context.requestId.replaceAll('-', '').slice(0, 24)}`,
      'x-forwarded-for': request.sourceIp,
      'x-forwarded-proto': 'http',
    },
    ...(Object.keys(query).length === 0 ? {} : { queryStringParameters: query }),
    ...(context.route.pathParameters === undefined ? {} : { pathParameters: { ...context.route.pathParameters } }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName,
      domainPrefix: domainName.split('.', 1)[0] ?? domainName,
      http: {
        method,
        path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: joined['user-agent'] ?? '',
      },
      requestId: context.requestId,
      routeKey: context.route.routeKey,
      stage: '$default',
      time: commonLogTime(context.now),
      timeEpoch: context.now,
    },
    ...(body.length === 0 ? {} : { body: body.toString(asText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !asText,
  };
}

/** As others have measured on the real gateway, only these arrive as text; form bodies and bodies without a type come as base64. */
function isTextType(contentType: string | undefined): boolean {
  return /^\s*(text\/|application\/(json|xml|javascript)\s*(;|$))/i.test(contentType ?? '');
}

/** Lower case names, repeated values joined with commas, cookies apart. */
function joinedHeaders(headers: GatewayRequest['headers']): Record<string, string> {
  const hopByHop = new Set(['cookie', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect']);
  const entries = Object.entries(headers).filter(([name]) => !hopByHop.has(name));
  return Object.fromEntries(entries.map(([name, values]) => [name, (values ?? []).join(',')]));
}

function joinedQuery(rawQueryString: string): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`;
  }
  return joined;
}

/** E.g. `23/Nov/2026:15:04:52 +0000`. */
function commonLogTime(now: number): string {
  const [, day, month, year, time] = new Date(now).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
