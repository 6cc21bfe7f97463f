import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeInference } from './compose.ts';

const { app, endings, flush, host, pending, preload, started, woken } = composeInference(
  process.env,
  new URL('./', import.meta.url),
);
await started;
host.rest();

export const handler = lambdaHandler(app, {
  endings,
  pending: () => {
    // Behind what the first request needed; it goes on with the next ones.
    void preload();
    return pending();
  },
  woken: () => woken(),
  flush: () => flush(),
  rest: () => host.rest(),
});
