import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeInference } from './compose.ts';

const { app, catalog, started } = composeInference(process.env, new URL('./', import.meta.url));
await started;

export const handler = lambdaHandler(app, () => catalog.pending());
