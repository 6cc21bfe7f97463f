/** What any such function would import at the least: a router, its Lambda adapter and the engine. */
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { env } from 'onnxruntime-web';

const app = new Hono().post('/translate', (context) => context.json({ engine: env.versions.web ?? null }));

export const handler = handle(app);
