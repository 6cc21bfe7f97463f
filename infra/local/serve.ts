import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import { bundleFunctions } from '../bundle.ts';
import { buildModels } from '../bundle-models.ts';
import { type LocalStores, startLocalStores } from './local-stores.ts';
import { composeSingleProcess } from './serve-app.ts';

/**
 * `npm run serve`: the same apps in one process. With CASALINGUA_MODEL_BUCKET it uses the stores that the environment
 * names; without, it starts its own on loopback.
 */
// On Node 20 the SDK announces at every start that its support for it will end.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const { values } = parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' } } });
const port = Number(values.port ?? process.env['PORT'] ?? 3000);
const hostname = values.host ?? '127.0.0.1';
const buildFolder = join(import.meta.dirname, '..', '..', 'build');

await bundleFunctions(join(buildFolder, 'functions'));
const stores = process.env['CASALINGUA_MODEL_BUCKET'] === undefined ? await ownStores() : undefined;
Object.assign(process.env, stores?.environment);
const { app, host } = composeSingleProcess(process.env, join(buildFolder, 'functions', 'inference'));
const server = serve({ fetch: app.fetch, port, hostname }, ({ port: bound }) => {
  console.log(`CasaLingua, in one process, is on http://${hostname}:${bound}. Ctrl-C ends it.`);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.close(async () => {
      await host.close();
      await stores?.close();
      process.exit(0);
    });
  });
}

async function ownStores(): Promise<LocalStores> {
  const modelFolders = await buildModels(join(buildFolder, 'models'));
  return startLocalStores({ modelFolders, onProgress: (line) => console.log(line) });
}
