/** What the adapter hands to every request; nothing of it, not even the object, is there outside Lambda. */
export interface LambdaBindings {
  /** API Gateway's part of the event. */
  readonly requestContext?: { readonly timeEpoch?: number };
  readonly lambdaContext?: { readonly awsRequestId: string; getRemainingTimeInMillis(): number };
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
  work: RequestWork;
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
