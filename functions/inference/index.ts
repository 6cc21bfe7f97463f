import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeInference } from './compose.ts';

const { app, catalog } = composeInference(process.env, new URL('./', import.meta.url));

export const handler = lambdaHandler(app, () => catalog.pending());
