import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { SettingsInvalidError } from '../../shared/config/errors.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { MONITOR_PERIOD_MS } from '../../shared/fleet/breaker/fleet-rules.ts';
import { repeatByTimer } from '../../shared/host/repeat.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import { gatherLines } from '../../shared/observability/standard-output.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { bundleFunctions } from '../bundle.ts';
import { bundleLocalPrograms } from '../bundle-local.ts';
import { buildModels } from '../bundle-models.ts';
import { MONITOR_FIRST_MS } from '../routes.ts';
import { functionVariables, keyInWords, onEndSignal, portOf } from './command.ts';
import { startReaper } from './front/reaper.ts';
import { closeServer, listen, PortTakenError } from './listen.ts';
import { isLoopback, onLoopback } from './local-access.ts';
import { startLocalStores } from './local-stores.ts';
import { defaultLogFolder, openModelLog } from './model-log.ts';
import { composeSingleProcess } from './serve-app.ts';
import { createServiceServer } from './service-server.ts';

/**
 * `npm run serve`: the same apps in one process. With CASALINGUA_MODEL_BUCKET it uses the stores that the environment
 * names; without, it starts its own on loopback.
 */
// On Node 20 the SDK announces at every start that its support for it will end.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
/** How long requests that are under way may take when the process is to end. */
const DRAIN_MS = 5_000;
const { values } = parseArgs({
  options: { port: { type: 'string' }, host: { type: 'string' }, logs: { type: 'string' } },
});
const port = portOf(values.port ?? process.env['PORT'], 3000);
const hostname = values.host ?? '127.0.0.1';
const logFolder = resolve(values.logs ?? defaultLogFolder);

// All that only this run needs; the reaper removes it when the process has ended, however it ended.
const folder = await mkdtemp(join(tmpdir(), 'casalingua-serve-'));
const reaper = startReaper((await bundleLocalPrograms(join(folder, 'local'))).reaper, folder);

try {
  await bundleFunctions(join(folder, 'functions'));
  const stores = process.env['CASALINGUA_MODEL_BUCKET'] === undefined ? await ownStores() : undefined;
  Object.assign(process.env, stores?.environment);
  const open = isLoopback(hostname) ? onLoopback : {};
  const env = { ...open, ...process.env, ...functionVariables(process.env) };
  const inference = join(folder, 'functions', 'inference');
  const { logLevel } = readSettings(env, pathToFileURL(`${inference}/`));
  const modelLog = openModelLog(logFolder, (reason) => console.error(`${logFolder} cannot be written: ${reason}`));
  const output = gatherLines((text) => process.stdout.write(text));
  const write = (line: string) => {
    output.write(line);
    modelLog.add(line);
  };
  const log = createJsonLog(write, systemClock, { level: logLevel });
  const { app, monitor, preload, close } = composeSingleProcess(env, inference, log);
  const server = createServiceServer(app.fetch, hostname);
  const bound = await listen(server, port, hostname);
  // Nothing freezes this process, so what is to be loaded at start need not wait for a request.
  void preload();
  let monitorInMs = MONITOR_FIRST_MS;
  const stopMonitor = repeatByTimer(
    () => {
      monitorInMs = MONITOR_PERIOD_MS;
      void monitor.run();
    },
    () => monitorInMs,
  );
  console.log(`CasaLingua, in one process, is on http://${hostname}:${bound}. Ctrl-C ends it.`);
  if (stores?.apiKey !== undefined) console.log(keyInWords(stores.apiKey));
  onEndSignal(async () => {
    stopMonitor();
    await drain(server);
    await close();
    await modelLog.close();
    await stores?.close();
    await reaper.close();
  });
} catch (error) {
  await reaper.close();
  if (!(error instanceof PortTakenError || error instanceof SettingsInvalidError)) throw error;
  console.error(error.message);
  process.exit(1);
}

async function ownStores() {
  const modelFolders = await buildModels(join(folder, 'models'));
  const onProgress = (line: string) => console.log(line);
  return startLocalStores({ modelFolders, dataFolder: join(folder, 'stores'), onProgress });
}

/** Takes no new request, lets those under way finish, and hangs up on what is still there then. */
async function drain(server: Server): Promise<void> {
  const drained = once(server, 'close');
  server.close();
  await Promise.race([drained, delay(DRAIN_MS, undefined, { ref: false })]);
  await closeServer(server);
}
