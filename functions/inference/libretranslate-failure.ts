import { asProblem, type DescribeFailure } from '../../shared/http/app.ts';
import type { Problem } from '../../shared/http/problem.ts';

const paths: readonly string[] = ['/translate', '/detect', '/languages'];

/** Whether failures of this path come in LibreTranslate's words. */
export function isLibreTranslatePath(path: string): boolean {
  return paths.includes(path);
}

/** A problem document with LibreTranslate's `error`, and its status where that is another. */
export const asLibreTranslateFailure: DescribeFailure = (problem, request) =>
  asProblem({ ...problem, ...wordsFor(problem, request.path) }, request);

function wordsFor({ code, status, detail }: Problem, path: string): Partial<Problem> {
  switch (code) {
    case 'UNAUTHENTICATED':
      return { status: 400, error: 'Please contact the server operator to get an API key' };
    case 'INVALID_CREDENTIALS':
      return { status: 403, error: 'Invalid API key' };
    case 'RATE_LIMITED':
    case 'TOO_MANY_FAILURES':
      return { error: `Slowdown: ${detail}` };
    default:
      return status === 500 && path === '/translate' ? { error: `Cannot translate text: ${detail}` } : {};
  }
}
