import { CasaLinguaError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { problemOf } from './problem.ts';

/**
 * Logs a failure that is the server's. Messages of errors that are not ours are left out, since a parser's or an
 * engine's message can quote a user's text; where they came from is enough to find them.
 */
export function logFailure(log: Log, thrown: unknown, requestId: string): void {
  const { status, code } = problemOf(thrown);
  if (status < 500) return;
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  // A refusal that the design foresees, and that many may get at once, is no alarm.
  const level = status === 500 ? 'error' : 'warn';
  log[level]('http.failure', {
    requestId,
    code,
    ...(thrown instanceof CasaLinguaError
      ? { message: thrown.message, model: thrown.model, state: thrown.state }
      : { name: nameOf(thrown), frames: framesOf(thrown) }),
    cause: cause === undefined ? undefined : cause instanceof CasaLinguaError ? cause.message : nameOf(cause),
  });
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}

/** The stack without the message at its head. */
function framesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error) || thrown.stack === undefined) return [];
  const at = thrown.stack.indexOf(thrown.message);
  const frames = at < 0 ? '' : thrown.stack.slice(at + thrown.message.length);
  return frames
    .split('\n')
    .map((frame) => frame.trim())
    .filter((frame) => frame.startsWith('at '));
}
