import { AsyncLocalStorage } from 'node:async_hooks';

/** What the lines of one request have in common. */
export interface RequestScope {
  readonly requestId: string;
  /** X-Ray's; undefined where nobody traces. */
  readonly traceId: string | undefined;
}

interface OpenScope extends RequestScope {
  isOver: boolean;
}

const scopes = new AsyncLocalStorage<OpenScope>();

/** Runs it as a part of the request: all that it causes belongs to the request, until it is over. */
export async function withinRequest<T>(request: RequestScope, run: () => Promise<T>): Promise<T> {
  const scope = { ...request, isOver: false };
  try {
    return await scopes.run(scope, run);
  } finally {
    // A load that it began goes on for others.
    scope.isOver = true;
  }
}

/** The request that the caller is at work for, if there is one. */
export function currentRequest(): RequestScope | undefined {
  const scope = scopes.getStore();
  return scope === undefined || scope.isOver ? undefined : scope;
}

/** The root of a trace header like `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=…;Sampled=1`. */
export function traceIdOf(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /(?:^|;)Root=([^;]+)/.exec(header)?.[1];
}
