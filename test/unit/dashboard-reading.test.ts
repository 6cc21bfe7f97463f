import { describe, expect, it } from 'vitest';
import { FleetReader, type Reading } from '../../functions/control/dashboard/page/read/fleet-reader.ts';
import {
  type Answer,
  createService,
  type Failure,
  inWords,
} from '../../functions/control/dashboard/page/read/service.ts';
import { healthWith } from '../support/dashboard-documents.ts';

describe('the service, as the page asks it', () => {
  function serviceWith(answer: (init: RequestInit, url: string) => Promise<Response> | Response) {
    let stop = new AbortController();
    const service = createService({
      base: 'http://here/',
      fetch: async (url, init) => answer(init, url),
      key: () => 'cslg_x',
      timeout: () => {
        stop = new AbortController();
        return stop.signal;
      },
    });
    return { service, timesOut: () => stop.abort() };
  }
  const problem = { title: 'No', status: 409, detail: 'it is pinned', code: 'MODEL_PINNED', requestId: 'r-1' };
  const problemWith = (status: number, headers = {}) =>
    new Response(JSON.stringify({ ...problem, status }), {
      status,
      headers: { 'content-type': 'application/problem+json', ...headers },
    });

  it('shows the key, and reads what is answered', async () => {
    const asked: unknown[] = [];
    const { service } = serviceWith((init, url) => {
      asked.push([url, init.method, new Headers(init.headers).get('authorization'), init.body, init.credentials]);
      return Response.json({ fine: true });
    });
    expect(await service.get('health/detailed')).toEqual({ ok: true, body: { fine: true } });
    await service.post('admin/x', { state: 'open' });
    expect(asked).toEqual([
      ['http://here/health/detailed', 'GET', 'Bearer cslg_x', undefined, 'omit'],
      ['http://here/admin/x', 'POST', 'Bearer cslg_x', '{"state":"open"}', 'omit'],
    ]);
  });

  it.each<readonly [Response, Partial<Failure>, string]>([
    [problemWith(401), { kind: 'unauthenticated' }, 'it is pinned'],
    [problemWith(403), { kind: 'forbidden' }, 'it is pinned'],
    [problemWith(409), { kind: 'refused', retryAfterMs: 0 }, 'it is pinned (HTTP 409, MODEL_PINNED)'],
    [
      problemWith(503, { 'retry-after': '7' }),
      { kind: 'refused', retryAfterMs: 7_000 },
      'it is pinned (HTTP 503, MODEL_PINNED)',
    ],
    [Response.json({ message: 'x' }, { status: 503 }), { kind: 'refused' }, 'the service answers with HTTP 503'],
    [new Response('<html>'), { kind: 'unreadable' }, 'the answer is not JSON'],
  ])('has a word for each failure: %#', async (response, failure, words) => {
    const answer = await serviceWith(() => response).service.get('x');
    expect(answer).toMatchObject({ ok: false, failure });
    if (!answer.ok) expect(inWords(answer.failure)).toBe(words);
  });

  it('gives up what does not come in time, and says so', async () => {
    const { service, timesOut } = serviceWith(
      ({ signal }) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted')))),
    );
    const answer = service.get('x');
    timesOut();
    expect(await answer).toEqual({ ok: false, failure: { kind: 'silent', why: 'too slow' } });
    const stop = new AbortController();
    const stopped = service.get('x', stop.signal);
    stop.abort();
    expect(await stopped).toMatchObject({ ok: false, failure: { kind: 'silent' } });
    const gone = serviceWith(() => Promise.reject(new TypeError('failed to fetch'))).service.get('x');
    expect(await gone).toEqual({ ok: false, failure: { kind: 'silent', why: 'no connection' } });
  });
});

describe('a reading', () => {
  const refused: Failure = { kind: 'refused', status: 503, problem: undefined, retryAfterMs: 3_000 };

  function readerWith(answers: Record<string, unknown>, failure: Failure = refused) {
    let now = 0;
    const asked: string[] = [];
    const befores: Reading[] = [];
    const situation = { isBusy: false };
    const reader = new FleetReader({
      service: {
        get: async <Body>(path: string): Promise<Answer<Body>> => {
          asked.push(path.split('?')[0] ?? '');
          const body = answers[path.split('?')[0] ?? ''];
          if (body === undefined) return { ok: false, failure };
          return { ok: true, body: body as Body };
        },
      },
      now: () => now,
      isBusy: () => situation.isBusy,
      changed: (before) => befores.push(before),
      remembered: () => asked.push('remembered'),
    });
    const go = async (ms = 5_000, signal = new AbortController().signal) => {
      now += ms;
      asked.length = 0;
      const outcome = await reader.read(signal);
      return { outcome, asked: [...asked] };
    };
    return { reader, go, situation };
  }
  const access = { caller: 'alice', scopes: ['read'] };
  const all = {
    'health/detailed': healthWith(),
    'admin/access': access,
    'admin/models': { models: [], reasons: [] },
    'admin/memory-snapshots': { snapshots: [] },
  };

  it('asks for everything at first, then for what changes, and for operators’ wishes now and then', async () => {
    const { go, situation } = readerWith(all);
    expect((await go()).asked).toEqual([...Object.keys(all), 'remembered']);
    expect((await go()).asked).toEqual(['health/detailed']);
    expect((await go(10_000)).asked).toEqual(['health/detailed', 'admin/models']);
    situation.isBusy = true;
    expect((await go()).asked).toEqual(['health/detailed', 'admin/models']);
    // Whoever was away for long looks at what was meanwhile.
    expect((await go(3_600_000)).asked).toContain('admin/memory-snapshots');
  });

  it('keeps what it has where the service fails, and asks it for nothing more', async () => {
    const answers: Record<string, unknown> = { ...all };
    const { reader, go } = readerWith(answers);
    await go();
    delete answers['health/detailed'];
    expect(await go(60_000)).toEqual({
      outcome: { kind: 'failed', retryAfterMs: 3_000 },
      asked: ['health/detailed'],
    });
    expect(reader.reading).toMatchObject({ health: all['health/detailed'], access, readAt: 5_000, failure: refused });
  });

  it('shows the fleet though something else cannot be read, and does not ask for the past again and again', async () => {
    const { reader, go } = readerWith({ 'health/detailed': healthWith(), 'admin/access': access });
    expect((await go()).outcome).toEqual({ kind: 'read' });
    expect(reader.reading).toMatchObject({ models: undefined, failure: undefined, otherFailure: refused });
    expect((await go()).asked).not.toContain('admin/memory-snapshots');
    expect((await go(60_000)).asked).toContain('admin/memory-snapshots');
  });

  it.each(['unauthenticated', 'forbidden'] as const)(
    'ends the readings where it is %s, until there is a key',
    async (kind) => {
      const { go } = readerWith({}, { kind, problem: undefined });
      expect(await go()).toEqual({ outcome: { kind: 'locked' }, asked: ['health/detailed'] });
    },
  );

  it('that was given up changes nothing', async () => {
    const { reader, go } = readerWith(all);
    await go(5_000, AbortSignal.abort());
    expect(reader.reading.health).toBeUndefined();
  });

  it('asks anew who looks when the key is another', async () => {
    const { reader, go } = readerWith(all);
    await go();
    reader.forgetCaller();
    expect(reader.reading.access).toBeUndefined();
    expect((await go()).asked).toContain('admin/access');
  });
});
