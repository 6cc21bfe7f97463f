import type { Principal } from './auth/principal.ts';

/** What the gateway's authorizer has found out, by its kind. */
export interface AuthorizerBindings {
  readonly jwt?: { readonly claims?: Readonly<Record<string, unknown>> | null } | null;
  readonly iam?: { readonly userArn?: string | null } | null;
}

/** What the adapter hands to every request; nothing of it, not even the object, need be there outside Lambda. */
export interface LambdaBindings {
  /** API Gateway's part of the event. */
  readonly requestContext?: {
    readonly timeEpoch?: number;
    readonly http?: { readonly sourceIp?: string };
    readonly authorizer?: AuthorizerBindings;
  };
  /** Of a server that holds the caller's own connection. */
  readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
  readonly lambdaContext?: {
    readonly awsRequestId: string;
    /** X-Ray's header, where an instance serves many requests at once. */
    readonly xRayTraceId?: string;
    getRemainingTimeInMillis(): number;
  };
}

/** How much work a request brought, for its log line. */
export interface RequestWork {
  readonly texts: number;
  readonly characters: number;
}

/** What middleware leaves for those after it. */
export interface RequestVariables {
  requestId: string;
  /** Wall clock, ms since the epoch. */
  startedAt: number;
  /** Aborted when the request's time is over (`DeadlineExceededError`) or its caller hung up (`RequestCancelledError`). */
  signal: AbortSignal;
  /** When that time is over, ms since the epoch; undefined where nobody limits it. */
  deadline: number | undefined;
  work: RequestWork;
  /** Who asks; there once it is known that they may. */
  principal: Principal;
  /** The body's fields, and where the route takes them the address's, as whoever needed them first has read them. */
  fields: Readonly<Record<string, unknown>> | URLSearchParams | FormData;
}

/** The environment of every app in this project. */
export interface HttpEnv {
  Bindings: LambdaBindings;
  Variables: RequestVariables;
}

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number;
}
