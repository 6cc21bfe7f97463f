import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stop as stopEsbuild } from 'esbuild';
import { SettingsInvalidError } from '../../shared/config/errors.ts';
import type { ModelLoadingSettings } from '../../shared/config/model-loading.ts';
import { readSettings } from '../../shared/config/read-settings.ts';
import { VersionConflictError } from '../../shared/repository/errors.ts';
import { bundleFunctions } from '../bundle.ts';
import { bundleLocalPrograms } from '../bundle-local.ts';
import { buildModels } from '../bundle-models.ts';
import { matchRoute, routes } from '../routes.ts';
import { functionVariables, instancesOf, keyInWords, onEndSignal, portOf } from './command.ts';
import { FolderTakenError } from './data-folder.ts';
import type { FrontNote } from './front/front.ts';
import { PortTakenError } from './listen.ts';
import { type LocalStack, startLocal } from './local-stack.ts';
import { defaultLogFolder, openModelLog } from './model-log.ts';

/** `npm start`: everything on this machine, until Ctrl-C. */
// On Node 20 the SDK announces at every start that its support for it will end.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    's3-port': { type: 'string' },
    'dynamo-port': { type: 'string' },
    data: { type: 'string' },
    provisioned: { type: 'string' },
    logs: { type: 'string' },
    'new-key': { type: 'boolean', default: false },
  },
});
const ports = {
  front: portOf(values.port ?? process.env['PORT'], 3000),
  s3: portOf(values['s3-port'], 3001),
  dynamo: portOf(values['dynamo-port'], 3002),
};
const variables = functionVariables(process.env);
const buildFolder = join(import.meta.dirname, '..', '..', 'build');
const dataFolder = resolve(values.data ?? join(buildFolder, 'local', 'data'));
const logFile = join(dataFolder, 'functions.log');
const logFolder = resolve(values.logs ?? defaultLogFolder);

try {
  // Checked before anything is built; the stores are the stack's own.
  const stores = { CASALINGUA_MODEL_BUCKET: 'own', CASALINGUA_TABLE: 'own' };
  const { modelLoading } = readSettings({ ...variables, ...stores }, new URL('../../shared/config/', import.meta.url));
  const provisioned = values.provisioned === undefined ? provisionedFor(modelLoading) : instancesOf(values.provisioned);
  console.log('building the functions and the models');
  const [modelFolders] = await Promise.all([
    buildModels(join(buildFolder, 'models')),
    bundleFunctions(join(buildFolder, 'functions')),
    bundleLocalPrograms(join(buildFolder, 'local')),
  ]);
  // Nothing is built any more; its service would keep 200 MB for as long as this runs.
  await stopEsbuild();
  const log = createWriteStream(logFile);
  const modelLog = openModelLog(logFolder, (reason) => console.error(`${logFolder} cannot be written: ${reason}`));

  const stack = await startLocal({
    buildFolder,
    modelFolders,
    dataFolder,
    newKey: values['new-key'],
    ports,
    provisioned,
    variables,
    environment: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    onProgress: (line) => console.log(line),
    onNote: (note) => {
      if (note.type === 'output') {
        log.write(`${note.instance} ${note.line}\n`);
        modelLog.add(note.line ?? '', note.instance);
      }
      // One that went well is nothing to tell every minute.
      else if (note.type !== 'scheduled' || note.outcome !== 'response') console.log(inWords(note));
    },
  });
  console.log(whatToTry(stack));
  onEndSignal(async () => {
    await stack.close();
    await modelLog.close();
  });
} catch (error) {
  const told = inPlainWords(error);
  if (told === undefined) throw error;
  console.error(told);
  process.exit(1);
}

/** Lambda gives the time to load models at start only to provisioned instances. */
function provisionedFor({ strategy, preloadModels }: ModelLoadingSettings): number {
  return strategy === 'eager' || preloadModels.length > 0 ? 1 : 0;
}

/** What a person can do something about. */
function inPlainWords(error: unknown): string | undefined {
  if (error instanceof PortTakenError) {
    return `${error.message}: stop what uses it, or choose others with --port, --s3-port and --dynamo-port`;
  }
  if (error instanceof FolderTakenError) {
    return `${error.message}: end that run, or keep this one's content elsewhere with --data`;
  }
  if (error instanceof VersionConflictError) {
    return `${error.message}. To begin again with an empty repository, delete ${dataFolder}`;
  }
  if (error instanceof SettingsInvalidError) return error.message;
  return undefined;
}

function inWords(note: FrontNote): string {
  switch (note.type) {
    case 'request':
      // Not the path itself: it may have a text in it.
      return `${note.method} ${routeOf(note.path)} ${note.status} in ${note.ms.toFixed(0)} ms`;
    case 'output':
      return `${note.instance}: ${note.line}`;
    case 'scheduled':
      return `${note.function}: its scheduled call ended with ${note.outcome} after ${note.ms.toFixed(0)} ms`;
    case 'provisioning failed':
      return `${note.instance}: ${note.type}; requests start their own instances. Why is in ${logFile}`;
    default:
      return `${note.instance}: ${note.type}`;
  }
}

function routeOf(path: string): string {
  return matchRoute(routes, path)?.routeKey.replace('ANY ', '') ?? 'an unknown path';
}

function whatToTry({ url, environment, apiKey }: LocalStack): string {
  const body = '{"q":"Where is the nearest library?","source":"auto","target":"es"}';
  const exports = Object.entries(environment).map(([name, value]) => `  export ${name}=${value}`);
  return [
    '',
    `CasaLingua is on ${url}. What the functions write is in ${logFile}, what became of models in ${logFolder}/models.log. Try:`,
    '',
    `  curl -s ${url}/translate -H 'content-type: application/json' -d '${body}'`,
    '',
    `How it is doing is shown at ${url}/dashboard.`,
    '',
    apiKey === undefined
      ? 'Whoever changes things needs the API key that the first run told; --new-key makes another.'
      : `${keyInWords(apiKey)}. Whoever changes things needs it; --new-key makes another.`,
    '',
    'For `npm run models`, `fleet` and `keys` in another terminal:',
    '',
    ...exports,
    '',
    'Ctrl-C ends it.',
    '',
  ].join('\n');
}
