import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeInference } from './compose.ts';

const { app, pending, preload, started } = composeInference(process.env, new URL('./', import.meta.url));
await started;

export const handler = lambdaHandler(app, () => {
  // Behind what the first request needed; it goes on with the next ones.
  void preload();
  return pending();
});
