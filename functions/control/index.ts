import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeControl } from './compose.ts';

const { app, catalog } = composeControl(process.env);

export const handler = lambdaHandler(app, () => catalog.pending());
