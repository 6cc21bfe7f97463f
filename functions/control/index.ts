import { lambdaHandler } from '../../shared/http/lambda-adapter.ts';
import { composeControl } from './compose.ts';

const { app } = composeControl(process.env);

export const handler = lambdaHandler(app);
