import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CasaLinguaError, messageOf } from '../../shared/errors.ts';

/** What a child answers, once. */
type Answer<Reply> = { readonly reply: Reply } | { readonly error: string };

/** A program of this project could not do in a process of its own what it was asked. */
export class ChildFailedError extends CasaLinguaError {
  readonly code = 'CHILD_FAILED';
  readonly retryable = false;
}

export interface ChildOptions {
  /** For Node and V8. */
  readonly flags?: readonly string[];
  /** Beside this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Asks a program that calls `answerParent`, in a process of its own: what an engine takes of memory is given back, or
 * measured, with the process. A signal ends it.
 * @throws ChildFailedError with the child's words, or the signal's reason
 */
export async function askChild<Request extends object, Reply>(
  program: URL,
  request: Request,
  { flags = [], environment = {}, signal }: ChildOptions = {},
): Promise<Reply> {
  signal?.throwIfAborted();
  const child = fork(fileURLToPath(program), [], {
    execArgv: ['--import', 'tsx', ...flags],
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const end = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', end, { once: true });
  try {
    const answer = await new Promise<Answer<Reply>>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Answer<Reply>));
      child.once('error', reject);
      child.once('exit', (code, by) => reject(new ChildFailedError(`the process ended with ${by ?? code}`)));
      child.send(request);
    });
    if ('error' in answer) throw new ChildFailedError(answer.error);
    return answer.reply;
  } catch (thrown) {
    signal?.throwIfAborted();
    throw thrown;
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
}

/** The child's side: answers the one request that comes. */
export function answerParent<Request, Reply>(answer: (request: Request) => Promise<Reply>): void {
  process.once('message', (request) => {
    answer(request as Request).then(
      (reply) => process.send?.({ reply } satisfies Answer<Reply>),
      (thrown: unknown) => process.send?.({ error: withCause(thrown) } satisfies Answer<Reply>),
    );
  });
}

function withCause(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause === undefined ? messageOf(thrown) : `${messageOf(thrown)}: ${messageOf(cause)}`;
}
