import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleFunctions } from '../../infra/bundle.ts';
import { type Front, type FrontNote, startFront } from '../../infra/local/front/front.ts';
import { type LocalStores, startLocalStores } from '../../infra/local/local-stores.ts';
import { synthesise } from '../../infra/sam/synth.ts';
import { modelFolders, postJson } from '../support/local-run.ts';
import {
  type DeployedFunction,
  type DeployedRoute,
  type Names,
  readDeployedTemplate,
} from './support/deployed-template.ts';
import { type RightsProxy, startRightsProxy } from './support/rights-proxy.ts';

const names: Names = { bucket: 'casalingua-models', table: 'casalingua' };
const programs = join(import.meta.dirname, '..', '..', 'build', 'local');

/** Production as it is synthesised, by its template and its assets alone: stores replaced, each function held to its role. */
describe('what production deploys', () => {
  let assembly: string;
  let stores: LocalStores;
  let front: Front;
  let deployed: { readonly functions: readonly DeployedFunction[]; readonly routes: readonly DeployedRoute[] };
  const proxies = new Map<string, readonly RightsProxy[]>();
  const notes: FrontNote[] = [];

  beforeAll(async () => {
    assembly = await mkdtemp(join(tmpdir(), 'casalingua-assembly-'));
    await synthesise('production', assembly);
    deployed = readDeployedTemplate(assembly, 'CasaLingua-production', names);
    stores = await startLocalStores({ modelFolders });
    for (const { name, rights } of deployed.functions) {
      const started = [
        startRightsProxy('s3', stores.s3Endpoint, rights, names),
        startRightsProxy('dynamodb', stores.dynamoEndpoint, rights, names),
      ];
      proxies.set(name, await Promise.all(started));
    }
    front = await startFront({
      functions: deployed.functions.map((one) => ({
        ...one,
        maxInstances: 1,
        provisioned: 0,
        environment: {
          ...one.environment,
          AWS_ENDPOINT_URL_S3: proxies.get(one.name)?.[0]?.endpoint ?? '',
          AWS_ENDPOINT_URL_DYNAMODB: proxies.get(one.name)?.[1]?.endpoint ?? '',
        },
      })),
      routes: deployed.routes,
      schedules: [{ function: functionNamed('monitor').name, firstMs: 3_000, everyMs: 60_000 }],
      programs: { runtime: join(programs, 'lambda-runtime.mjs'), reaper: join(programs, 'reaper.mjs') },
      onNote: (note) => notes.push(note),
    });
  }, 300_000);

  afterAll(async () => {
    await front?.close();
    for (const proxy of [...proxies.values()].flat()) await proxy.close();
    await stores?.close();
    await rm(assembly, { recursive: true, force: true });
  });

  function functionNamed(begins: string): DeployedFunction {
    const found = deployed.functions.find(({ name }) => name.startsWith(begins));
    if (found === undefined) throw new Error(`there is no function ${begins}`);
    return found;
  }

  const withKey = () => ({ authorization: `Bearer ${stores.apiKey}` });

  it('serves nobody without a key', async () => {
    const translated = await postJson(`${front.url}/translate`, { q: 'Good morning.', source: 'en', target: 'es' });

    expect(translated).toMatchObject({ status: 400, json: { code: 'UNAUTHENTICATED' } });
    for (const path of ['/health/detailed', '/metrics', '/admin/models']) {
      expect((await fetch(`${front.url}${path}`)).status, path).toBe(401);
    }
  });

  const refusedTo = (begins: string) => proxies.get(functionNamed(begins).name)?.flatMap(({ refused }) => [...refused]);
  const allowedTo = (begins: string) => proxies.get(functionNamed(begins).name)?.flatMap(({ allowed }) => [...allowed]);

  it('is the bundle that the tests run, byte for byte, with engine and worker, and no model', async () => {
    const { folder, handler, runtime } = functionNamed('translation');
    // As the tests' own set-up does; that folder may be rebuilt meanwhile.
    const [inference] = await bundleFunctions(join(assembly, 'again'));

    expect({ handler, runtime }).toEqual({ handler: 'index.handler', runtime: 'nodejs24.x' });
    const files = inference?.files.map(({ name }) => name) ?? [];
    expect(await readdir(folder)).toEqual(expect.arrayContaining(files));
    expect((await readdir(folder)).length).toBe(files.length);
    expect(files).toEqual(
      expect.arrayContaining(['worker.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']),
    );
    for (const file of files) {
      const [ours, theirs] = await Promise.all([inference?.folder ?? '', folder].map((at) => readFile(join(at, file))));
      expect(theirs?.equals(ours ?? Buffer.of()), file).toBe(true);
    }
  });

  it('translates and finds the language, each in its own function', async () => {
    const sentence = 'Where is the nearest library?';

    const translated = await postJson(
      `${front.url}/translate`,
      { q: sentence, source: 'auto', target: 'es' },
      withKey(),
    );
    const detected = await postJson(`${front.url}/pipeline/detect`, { text: sentence }, withKey());

    expect(translated.json).toMatchObject({
      translatedText: expect.stringMatching(/biblioteca/i),
      detectedLanguage: { language: 'en' },
    });
    expect(detected.json).toMatchObject({ status: 'success', data: { detected_language: 'en' } });
    const started = notes.flatMap((note) => (note.type === 'cold start' ? [note.function] : []));
    expect(started).toEqual(
      expect.arrayContaining([functionNamed('translation').name, functionNamed('detection').name]),
    );
  });

  it('tells how the fleet is', async () => {
    // What an instance holds is told at its next request.
    await postJson(`${front.url}/translate`, { q: 'Good morning.', source: 'en', target: 'es' }, withKey());

    const answer = await fetch(`${front.url}/health/detailed`, { headers: withKey() });

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: expect.stringMatching(/healthy|degraded/), instance_count: 2 });
  });

  it('does what operators say', async () => {
    const breaker = encodeURIComponent('translate translate-en-es@1.0.0');
    const say = (path: string, body: object) => postJson(`${front.url}/admin/${path}`, body, withKey());

    for (const [path, body] of [
      ['models/translate-en-es/pin', { for: '1h' }],
      ['models/translate-en-es/unpin', {}],
      ['models/translate-en-es/activate', { version: '1.0.0' }],
      [`breakers/${breaker}`, { state: 'closed', why: 'a test' }],
      [`breakers/${breaker}`, { state: 'release' }],
    ] as const) {
      expect([path, (await say(path, body)).status]).toEqual([path, 202]);
    }
    const seen = await fetch(`${front.url}/admin/models/translate-en-es`, { headers: withKey() });
    expect(await seen.json()).toMatchObject({ versions: ['1.0.0'], wish: { seq: 2 }, reasons: [] });
  });

  it('has the monitor run by the clock', async () => {
    const ran = () => notes.filter((note) => note.type === 'scheduled' && note.outcome === 'response');
    for (let tries = 0; tries < 300 && ran().length === 0; tries++) await delay(100);
    expect(ran()).not.toEqual([]);
  });

  it('needs no right that its roles lack', () => {
    for (const name of ['translation', 'detection', 'control', 'monitor']) expect(refusedTo(name), name).toEqual([]);
    expect(allowedTo('translation')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^dynamodb:BatchGetItem MODEL#/),
        expect.stringMatching(/^dynamodb:GetItem BREAKER/),
        expect.stringMatching(/^dynamodb:GetItem KEY#/),
        expect.stringMatching(/^dynamodb:PutItem INSTANCES#/),
        expect.stringMatching(/^dynamodb:UpdateItem LOAD#/),
        expect.stringMatching(/^s3:GetObject casalingua-models\/models\/translate-en-es\//),
      ]),
    );
    expect(allowedTo('control')).toContainEqual(expect.stringMatching(/^dynamodb:Query INSTANCES#/));
    expect(allowedTo('monitor')).toContainEqual(expect.stringMatching(/^dynamodb:Query WISH/));
  });

  it('would be told of one that they lack: detection may not read another model', async () => {
    const [s3] = proxies.get(functionNamed('detection').name) ?? [];

    const answer = await fetch(`${s3?.endpoint}/${names.bucket}/models/translate-en-es/1.0.0/manifest.json`);

    expect(answer.status).toBe(400);
  });
});
