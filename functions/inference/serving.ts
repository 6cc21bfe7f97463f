import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import type { Beginnings } from './beginnings.ts';
import { composeInference } from './compose.ts';

/** The handler, with everything behind it: what a start needs no part of. */
export async function serve(begun: Beginnings) {
  const { app, endings, flush, host, pending, preload, started, woken } = composeInference(begun);
  await started;
  host.rest();
  return lambdaHandler(app, {
    endings,
    pending: () => {
      // Behind what the first request needed; it goes on with the next ones.
      void preload();
      return pending();
    },
    woken: (signal) => woken(signal),
    flush: () => flush(),
    rest: () => host.rest(),
  });
}
