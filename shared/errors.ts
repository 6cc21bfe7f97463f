/**
 * The base of every error this project throws on purpose. `code` is stable and safe to show; `message` never holds a
 * user's text. Whoever answers HTTP maps the class to a status (design part 10), whoever retries looks at `retryable`.
 */
export abstract class CasaLinguaError extends Error {
  /** Stable, upper snake case, e.g. `MODEL_CORRUPT`. */
  abstract readonly code: string;
  /** Whether the same call can succeed later without anybody changing anything. */
  abstract readonly retryable: boolean;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The message of anything that was thrown, for a log or a cause chain. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
