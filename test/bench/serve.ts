import type { Answer } from './child.ts';

/** Answers the requests of the process that started this one, and ends with it. */
export function serve<Request, Reply>(answer: (request: Request) => Promise<Reply>): void {
  const send = (message: Answer<Reply>) => process.send?.(message);
  process.on('message', (request: Request) => {
    answer(request).then(
      (reply) => send({ reply }),
      (error: unknown) => send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
