import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeInference } from './compose.ts';

const { app, endings, pending, preload, started } = composeInference(process.env, new URL('./', import.meta.url));
await started;

const afterwards = () => {
  // Behind what the first request needed; it goes on with the next ones.
  void preload();
  return pending();
};

export const handler = lambdaHandler(app, afterwards, endings);
