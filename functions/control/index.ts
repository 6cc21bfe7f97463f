import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeControl } from './compose.ts';

const { app, catalog, flush } = composeControl(process.env, { assets: new URL('./', import.meta.url) });

export const handler = lambdaHandler(app, { pending: () => catalog.pending(), flush });
