import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import type { Front, FrontNote } from '../../infra/local/front/front.ts';
import { type ProbeFrontOptions, probeFolder, startProbeFront } from '../support/probe-front.ts';
import { processState, until } from '../support/process-state.ts';

let front: Front;
afterEach(() => front.close());

const start = async (options: ProbeFrontOptions = {}) => {
  front = await startProbeFront(options);
};
const get = async (path: string) => {
  const answer = await fetch(front.url + path);
  const text = await answer.text();
  const type = answer.headers.get('content-type') ?? '';
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: type.includes('json') ? JSON.parse(text) : null,
  };
};
const states = () => front.instances().map(({ state }) => state);
const pidOf = async () => Number((await get('/who')).json.pid);
const onPosix = it.skipIf(process.platform === 'win32');

describe('serving', () => {
  it('turns HTTP into an event and the result into HTTP', async () => {
    await start();

    const answer = await fetch(`${front.url}/below/a%20b?x=1`, { method: 'PUT' });
    const event = await (await fetch(`${front.url}/event`, { method: 'POST', body: 'a=1' })).json();

    expect(answer.status).toBe(418);
    expect(event).toMatchObject({ rawPath: '/event', requestContext: { http: { method: 'POST' } }, body: 'a=1' });
  });

  it('goes on with the code that it began with, whatever a later build does to its folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'casalingua-probe-'));
    cpSync(probeFolder, folder, { recursive: true });
    await start({ folder });
    rmSync(folder, { recursive: true });

    expect((await get('/who')).status).toBe(200);
  });

  it('hands back bytes, status and cookies', async () => {
    await start();

    const answer = await fetch(`${front.url}/binary`);

    expect(answer.status).toBe(201);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2; Path=/']);
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0, 255, 1]);
  });

  it("gives the function Lambda's context and environment, and nothing of its own", async () => {
    process.env['SECRET_OF_THE_FRONT'] = 'x';
    await start({ environment: { GIVEN: 'yes' } });

    const context = (await get('/context')).json;
    const environment = (await get('/environment')).json;

    expect(context).toMatchObject({ functionName: 'probe', memoryLimitInMB: '256' });
    expect(context.remaining).toBeGreaterThan(20_000);
    expect(environment).toMatchObject({
      GIVEN: 'yes',
      AWS_LAMBDA_FUNCTION_NAME: 'probe',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    });
    expect(environment).not.toHaveProperty('SECRET_OF_THE_FRONT');
    delete process.env['SECRET_OF_THE_FRONT'];
  });

  it('answers a path that leads nowhere as the gateway does', async () => {
    await start();

    expect(await get('/unrouted')).toMatchObject({ status: 404, json: { message: 'Not Found' } });
    expect(states()).toEqual([]);
  });

  it('hands what a function prints to whoever watches', async () => {
    const notes: FrontNote[] = [];
    await start({ onNote: (note) => notes.push(note) });

    await get('/print');

    await until(() => notes.some((note) => note.type === 'output' && note.line === 'a line of output'));
  });
});

describe('instances', () => {
  it('serve one request after the other with one process', async () => {
    await start({ maxInstances: 2 });

    const first = await get('/who');
    const second = await get('/who');

    expect(second.json).toMatchObject({ pid: first.json.pid, calls: 2 });
  });

  it('serve requests at once with a process each, and throttle what is beyond', async () => {
    await start({ maxInstances: 2 });

    const slow = Promise.allSettled([get('/slow?ms=60000'), get('/slow?ms=60000')]);
    await until(() => states().filter((state) => state === 'BUSY').length === 2);
    const third = await get('/who');

    expect(third).toMatchObject({ status: 503, json: { message: 'Service Unavailable' } });
    expect(new Set(front.instances().map(({ pid }) => pid)).size).toBe(2);
    await front.close();
    await slow;
  });

  onPosix('stand still between requests, stopped by the system', async () => {
    await start();

    for (const calls of [1, 2]) {
      const { json } = await get('/who');
      expect(json.calls).toBe(calls);
      await until(() => processState(json.pid) === 'T');
    }
  });

  it('end when they were idle for long, and the next request starts another', async () => {
    await start({ limits: { idleMs: 50 } });
    const first = await pidOf();

    await until(() => front.instances().length === 0);

    expect(processState(first)).toBeUndefined();
    expect(await pidOf()).not.toBe(first);
  });

  it.each(['/throw', '/malformed'])('live on after %s, which is a 500', async (path) => {
    await start();
    const pid = await pidOf();

    expect(await get(path)).toMatchObject({ status: 500, json: { message: 'Internal Server Error' } });

    expect(await pidOf()).toBe(pid);
  });

  it.each(['/exit', '/late-rejection'])('that die of %s give a 500, and the next request has another', async (path) => {
    await start();
    const pid = await pidOf();

    expect(await get(path)).toMatchObject({ status: 500, json: { message: 'Internal Server Error' } });

    expect(await pidOf()).not.toBe(pid);
  });

  it('that are killed while they are frozen are replaced', async () => {
    await start();
    const pid = await pidOf();
    await until(() => states().includes('IDLE'));

    process.kill(pid, 'SIGKILL');
    await until(() => front.instances().length === 0);

    expect((await get('/who')).status).toBe(200);
  });
});

describe('provisioned instances', () => {
  onPosix('have initialised and stand still before the first request, and serve it', async () => {
    const notes: string[] = [];
    await start({ maxInstances: 2, provisioned: 1, onNote: (note) => notes.push(note.type) });

    expect(notes).toEqual(['provisioning', 'provisioned']);
    const [instance] = front.instances();
    await until(() => processState(Number(instance?.pid)) === 'T');
    expect((await get('/who')).json).toEqual({ pid: instance?.pid, calls: 1 });
  });

  it('know how they were started', async () => {
    await start({ provisioned: 1 });

    expect((await get('/environment')).json).toMatchObject({
      AWS_LAMBDA_INITIALIZATION_TYPE: 'provisioned-concurrency',
    });
  });

  it('may take longer to initialise than others', async () => {
    await start({ provisioned: 1, environment: { PROBE_INIT: 'slow' }, limits: { initMs: 1 } });

    expect(states()).toEqual(['IDLE']);
  });

  it('outlive any time without a request, unlike others', async () => {
    await start({ maxInstances: 2, provisioned: 1, limits: { idleMs: 50 } });
    const [provisioned] = front.instances();

    await Promise.all([get('/slow?ms=100'), get('/slow?ms=100')]);
    await until(() => front.instances().length === 1);

    expect(front.instances()[0]?.pid).toBe(provisioned?.pid);
  });

  it('are replaced by others of their kind when they die', async () => {
    const notes: string[] = [];
    await start({ provisioned: 1, onNote: (note) => notes.push(note.type) });

    expect((await get('/exit')).status).toBe(500);
    await until(() => states()[0] === 'IDLE');

    expect(notes.filter((type) => type === 'provisioned')).toHaveLength(2);
    expect((await get('/environment')).json).toMatchObject({
      AWS_LAMBDA_INITIALIZATION_TYPE: 'provisioned-concurrency',
    });
  });

  it.each(['throws', 'hangs'])(
    'that fail, since their initialisation %s, are told and not awaited for ever',
    async (how) => {
      const notes: string[] = [];
      await start({
        provisioned: 1,
        environment: { PROBE_INIT: how },
        limits: { provisionedInitMs: 300 },
        onNote: (note) => notes.push(note.type),
      });

      expect(notes.at(-1)).toBe('provisioning failed');
      expect(states()).toEqual([]);
    },
  );
});

describe('limits', () => {
  it('ends an initialisation that takes too long and tries again in the time of the request', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'casalingua-mark-'));
    const mark = join(folder, 'mark');
    const notes: string[] = [];
    await start({
      environment: { PROBE_INIT: 'hangs once', PROBE_MARK: mark },
      limits: { initMs: 500 },
      onNote: (note) => notes.push(note.type),
    });

    expect((await get('/who')).status).toBe(200);

    expect(existsSync(mark)).toBe(true);
    rmSync(folder, { recursive: true });
    expect(notes.slice(0, 4)).toEqual(['cold start', 'timed out', 'ended', 'init tried again']);
  });

  it.each(['throws', 'hangs'])('fails the request when the initialisation %s twice', async (how) => {
    await start({ environment: { PROBE_INIT: how }, limits: { initMs: 200 }, timeoutMs: 400 });

    expect(await get('/who')).toMatchObject({ status: 500, json: { message: 'Internal Server Error' } });

    await until(() => front.instances().length === 0);
  });

  it('ends a function that exceeds its own time, and its process', async () => {
    await start({ timeoutMs: 300 });
    const pid = await pidOf();

    expect(await get('/slow?ms=60000')).toMatchObject({ status: 500, json: { message: 'Internal Server Error' } });

    await until(() => processState(pid) === undefined);
  });

  it('stops waiting when the gateway does, while the function goes on', async () => {
    await start({ limits: { gatewayMs: 300 } });
    // The first one may wait for the instance's start, and so for too long.
    let pid = await pidOf();
    while (Number.isNaN(pid)) pid = await pidOf();

    expect(await get('/slow?ms=600')).toMatchObject({ status: 503, json: { message: 'Service Unavailable' } });

    await until(() => states()[0] === 'IDLE');
    expect(await pidOf()).toBe(pid);
  });

  it('refuses a body that the gateway does not take, and an event that Lambda does not take', async () => {
    await start({ limits: { maxBodyBytes: 100_000, maxPayloadBytes: 50_000 } });
    const post = (bytes: number) =>
      fetch(`${front.url}/event`, { method: 'POST', body: new Uint8Array(bytes) }).then((answer) => answer.status);

    expect(await post(100_001)).toBe(413);
    // As base64 in the event it is a third larger.
    expect(await post(40_000)).toBe(413);
    expect(await post(20_000)).toBe(200);
  });

  it('fails a result that is larger than Lambda takes', async () => {
    await start({ limits: { maxPayloadBytes: 50_000 } });

    expect((await get('/large?bytes=60000')).status).toBe(500);
    expect((await get('/large?bytes=10000')).status).toBe(200);
  });

  it('does not notice a client that goes away', async () => {
    await start();
    const pid = await pidOf();
    const gone = new Promise((resolve) => {
      const client = request(`${front.url}/slow?ms=1000`).on('error', resolve).on('close', resolve).end();
      void until(() => states()[0] === 'BUSY').then(() => client.destroy());
    });
    await gone;

    await until(() => states()[0] === 'IDLE');

    expect(await pidOf()).toBe(pid);
  });
});

describe('the end', () => {
  onPosix('of the front by SIGKILL ends frozen and busy children, and leaves nothing on disk', async () => {
    await start();
    const program = join(import.meta.dirname, '..', 'fixtures', 'lambda', 'front-process.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const { url, reaperPid } = JSON.parse(String(line)) as { url: string; reaperPid: number };
    const who = (await (await fetch(`${url}/who`)).json()) as { pid: number };
    const { HOME: home } = (await (await fetch(`${url}/environment`)).json()) as { HOME: string };
    const busy = fetch(`${url}/slow?ms=60000`).catch(() => undefined);
    const second = fetch(`${url}/slow?ms=1`);
    const other = (await (await second).json()) as { pid: number };
    await until(() => processState(other.pid) === 'T' && processState(who.pid) !== 'T');

    child.kill('SIGKILL');
    await busy;

    await until(() => [who.pid, other.pid, reaperPid].every((pid) => processState(pid) === undefined));
    expect(existsSync(dirname(home))).toBe(false);
  });

  it('by closing ends all children and whatever waits', async () => {
    await start({ maxInstances: 2 });
    const pid = await pidOf();
    await until(() => states().includes('IDLE'));

    await front.close();

    expect(processState(pid)).toBeUndefined();
  });
});
