/** What an error may tell beside its message; every field is safe to show to a caller. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** The model concerned, `id` or `id@version`. */
  readonly model?: string;
  /** The model's state when it happened. */
  readonly state?: string;
  /** When a retry makes sense, in seconds. */
  readonly retryAfterSeconds?: number;
}

/**
 * The base of every error this project throws on purpose. `code` is stable and safe to show; `message` never holds a
 * user's text. `shared/http/problem.ts` maps the code to a status (design part 10); whoever retries looks at `retryable`.
 */
export abstract class CasaLinguaError extends Error {
  /** Stable, upper snake case, e.g. `FILE_CORRUPT`. */
  abstract readonly code: string;
  /** Whether the same call can succeed later without anybody changing anything. */
  abstract readonly retryable: boolean;
  readonly model: string | undefined;
  readonly state: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = new.target.name;
    this.model = details.model;
    this.state = details.state;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The message of anything that was thrown, for a log or a cause chain. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
