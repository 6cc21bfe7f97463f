import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeInference } from './compose.ts';

const { app, endings, host, pending, preload, started } = composeInference(process.env, new URL('./', import.meta.url));
await started;
host.rest();

export const handler = lambdaHandler(app, {
  endings,
  pending: () => {
    // Behind what the first request needed; it goes on with the next ones.
    void preload();
    return pending();
  },
  rest: () => host.rest(),
});
