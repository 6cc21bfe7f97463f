import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A program in a process of its own that answers one request at a time. */
export interface Child<Request, Reply> {
  call(request: Request): Promise<Reply>;
  end(): Promise<void>;
}

/** What goes back over the channel. */
export type Answer<Reply> = { readonly reply: Reply } | { readonly error: string };

/**
 * Starts a bundled program that calls `serve`. What it writes to standard output is read and thrown away.
 * @param start handed to it as its only argument
 */
export function startChild<Request extends object, Reply>(
  program: string,
  start: unknown,
  environment: Readonly<Record<string, string>>,
): Child<Request, Reply> {
  const process = fork(program, [JSON.stringify(start)], {
    execArgv: [],
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  process.stdout?.resume();
  const ended = once(process, 'exit').then(([code, signal]): never => {
    throw new Error(`${program} ended with ${code ?? signal}`);
  });
  ended.catch(() => undefined);
  return {
    async call(request) {
      const answered = once(process, 'message');
      process.send(request);
      const [answer] = (await Promise.race([answered, ended])) as [Answer<Reply>];
      if ('error' in answer) throw new Error(`${program}: ${answer.error}`);
      return answer.reply;
    },
    async end() {
      process.disconnect();
      await ended.catch(() => undefined);
    },
  };
}
