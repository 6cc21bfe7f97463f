import { describe, expect, it } from 'vitest';
import { digestKey, readEntry, wishCount } from '../../shared/fleet/breaker/digest-entry.ts';
import { set } from '../../shared/fleet/table/fleet-table.ts';
import { toWish, wishKey } from '../../shared/fleet/wishes/wish-record.ts';
import { ManifestInvalidError } from '../../shared/repository/errors.ts';
import { authenticateBy } from '../support/callers.ts';
import { type ControlStage, type ControlStageOptions, createTestControl } from '../support/control-app.ts';
import { createFakeCatalog, shippedManifests, translationManifest } from '../support/fake-catalog.ts';
import { read, testNow } from '../support/inference-app.ts';

const model = 'translate-en-es';
const breaker = `translate ${model}@1`;
const key = 'cslg_alice';
const alice = authenticateBy({
  [key]: { kind: 'valid', subject: 'alice', scopes: ['admin'], limits: {} as never },
});

function stage(options: ControlStageOptions = {}) {
  const control = createTestControl({ authenticate: alice, ...options });
  const say = async (path: string, body?: unknown) =>
    read(
      await control.app.request(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
  const register = (id = model) => toWish(control.table.read(wishKey(id)).item);
  return { ...control, say, register };
}

const actionsIn = ({ lines }: Pick<ControlStage, 'lines'>) =>
  lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'admin.action');

describe('an operator who wants something of a model', () => {
  it('is answered where to look, and the fleet is told and woken', async () => {
    const { say, register, table, wakes, ...control } = stage();

    const answer = await say(`/admin/models/${model}/pin`, { for: '2h' });

    const until = '2026-01-02T05:04:05.678Z';
    expect(answer).toMatchObject({ status: 202, body: { model, action: 'pin', want: 'pinned', seq: 1, until } });
    expect(answer.body).toMatchObject({ announced: true, woken: true });
    expect(answer.headers.get('location')).toBe(`/admin/models/${model}`);
    expect(answer.body['links']).toEqual({ model: `/admin/models/${model}`, health: '/health/detailed' });
    expect(register()).toMatchObject({ want: 'pinned', by: 'alice', at: testNow, until: Date.parse(until) });
    expect(wishCount(table.read(digestKey).item)).toBe(1);
    expect(wakes()).toBe(1);
    expect(actionsIn(control)).toMatchObject([{ by: 'alice', action: 'pin', model, outcome: 'done' }]);
  });

  it('needs no body', async () => {
    const { say } = stage();
    for (const [action, want] of [
      ['load', 'loaded'],
      ['unload', 'unloaded'],
      ['pin', 'pinned'],
      ['unpin', 'loaded'],
    ]) {
      const answer = await say(`/admin/models/${model}/${action}`);
      expect(answer).toMatchObject({ status: 202, body: { want, until: null } });
    }
  });

  it('does not unload what is pinned, and can once it is unpinned, or the time of the pin is over', async () => {
    const { say, register } = stage();
    await say(`/admin/models/${model}/pin`);

    const refused = await say(`/admin/models/${model}/unload`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'MODEL_PINNED', model, retryable: false } });
    expect(register()?.want).toBe('pinned');

    await say(`/admin/models/${model}/unpin`);
    expect((await say(`/admin/models/${model}/unload`)).status).toBe(202);

    const over = stage();
    await over.say(`/admin/models/${model}/pin`);
    over.table.apply({ name: '', key: wishKey(model), condition: undefined, changes: [set(['until'], testNow)] });
    expect((await over.say(`/admin/models/${model}/unload`)).status).toBe(202);
  });

  it('has the load of a pinned model tried again, and the pin stays as it is', async () => {
    const { say, register } = stage();
    await say(`/admin/models/${model}/pin`, { for: '1h' });

    expect(await say(`/admin/models/${model}/load`)).toMatchObject({ status: 202, body: { want: 'pinned', seq: 2 } });

    expect(register()).toMatchObject({ want: 'pinned', seq: 2, until: testNow + 3_600_000 });
  });

  it('cannot unpin what is not pinned, nor unload what is configured to stay', async () => {
    const { say, register } = stage({ alwaysLoaded: [model] });
    expect(await say(`/admin/models/${model}/unpin`)).toMatchObject({ status: 409, body: { code: 'NOT_PINNED' } });
    const refused = await say(`/admin/models/${model}/unload`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'MODEL_ALWAYS_LOADED' } });
    expect(register()).toBeUndefined();
  });

  it('may want something of a model that cannot be served just now', async () => {
    const catalog = createFakeCatalog([], { [model]: new ManifestInvalidError('the manifest is not JSON') });
    expect((await stage({ catalog }).say(`/admin/models/${model}/unload`)).status).toBe(202);
  });

  it.each([
    ['a model that is not there', '/admin/models/nobody-knows/load', undefined, 404, 'UNKNOWN_MODEL'],
    ['a name that no model can have', '/admin/models/%C3%84%20text/load', undefined, 404, 'UNKNOWN_MODEL'],
    ['a body that is not JSON', `/admin/models/${model}/load`, '{', 400, 'BAD_REQUEST'],
    ['a body that is no object', `/admin/models/${model}/load`, '[]', 400, 'BAD_REQUEST'],
    ['a time that is none', `/admin/models/${model}/pin`, { for: 'ever' }, 400, 'BAD_REQUEST'],
    ['a time of nothing', `/admin/models/${model}/pin`, { for: '0s' }, 400, 'BAD_REQUEST'],
    ['a time that is too long', `/admin/models/${model}/pin`, { for: '367d' }, 400, 'BAD_REQUEST'],
    ['a member that is not known', `/admin/models/${model}/pin`, { fro: '2h' }, 400, 'BAD_REQUEST'],
    ['a time for unpinning', `/admin/models/${model}/unpin`, { for: '2h' }, 400, 'BAD_REQUEST'],
    ['a body that is too long', `/admin/models/${model}/load`, { for: ' '.repeat(10_001) }, 413, 'BODY_TOO_LARGE'],
  ])('is told what is wrong with %s', async (_, path, body, status, code) => {
    const { say, register, wakes } = stage();
    expect(await say(path, body)).toMatchObject({ status, body: { code } });
    expect(register()).toBeUndefined();
    expect(wakes()).toBe(0);
  });

  it('hears when the store is away, and when to try again', async () => {
    const control = stage();
    control.become('away');

    const answer = await control.say(`/admin/models/${model}/load`);

    expect(answer).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE', retryable: true } });
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(actionsIn(control)).toMatchObject([{ by: 'alice', action: 'load', model, outcome: 'STORE_UNAVAILABLE' }]);
  });

  it('hears when nobody could be woken: it happens with the next request', async () => {
    const { say } = stage({ canWake: false });
    expect(await say(`/admin/models/${model}/load`)).toMatchObject({ status: 202, body: { woken: false } });
  });

  it('never finds in the log what was written in the wrong place', async () => {
    const { say, lines } = stage();
    const marker = 'Zebrafinkenkafig secret';
    await say(`/admin/models/${encodeURIComponent(marker)}/load`);
    await say(`/admin/models/${encodeURIComponent(marker)}/activate`, { version: '1' });
    await say(`/admin/models/${model}/activate`, { version: marker });
    await say(`/admin/breakers/${encodeURIComponent(marker)}`, { state: 'open', why: marker });
    await say(`/admin/breakers/${encodeURIComponent(breaker)}`, { state: 'open', why: marker });
    expect(lines.join('\n')).not.toContain('Zebrafinken');
    expect(lines.join('\n')).not.toContain(key);
  });
});

describe('an operator who activates a version', () => {
  const second = { ...translationManifest(model, 'en>es'), version: '2' };
  const published = [...shippedManifests, second];

  it('makes it the one that is served, and is told what was before', async () => {
    const { say, active, wakes } = stage({ published });
    await say(`/admin/models/${model}/activate`, { version: '1' });

    const answer = await say(`/admin/models/${model}/activate`, { version: '2', expected_seq: 1 });

    expect(answer).toMatchObject({ status: 202, body: { version: '2', seq: 2, previous: '1', changed: true } });
    expect(answer.headers.get('location')).toBe(`/admin/models/${model}`);
    expect(active.get(model)).toMatchObject({ version: '2', by: 'alice' });
    expect(wakes()).toBe(2);
  });

  it('changes nothing where it is active already, and wakes nobody', async () => {
    const { say, active, wakes } = stage({ published });
    await say(`/admin/models/${model}/activate`, { version: '2' });

    const again = await say(`/admin/models/${model}/activate`, { version: '2' });

    expect(again).toMatchObject({ status: 202, body: { seq: 1, changed: false, woken: false } });
    expect(active.get(model)?.seq).toBe(1);
    expect(wakes()).toBe(1);
  });

  it.each([
    ['a version that is not there', { version: '9' }, {}, 404, 'UNKNOWN_VERSION'],
    ['another change than the one that was seen', { version: '2', expected_seq: 7 }, {}, 409, 'VERSION_CONFLICT'],
    ['another than the deployment pins', { version: '2' }, { pins: 'hard' }, 409, 'VERSION_PINNED'],
    ['one of a model that is not served here', { version: '2' }, { serves: false }, 404, 'UNKNOWN_MODEL'],
    ['no version', {}, {}, 400, 'BAD_REQUEST'],
    ['a version that no version can be', { version: '../2' }, {}, 400, 'BAD_REQUEST'],
    ['half a change', { version: '2', expected_seq: 0.5 }, {}, 400, 'BAD_REQUEST'],
    ['a change before the first', { version: '2', expected_seq: -1 }, {}, 400, 'BAD_REQUEST'],
  ])('is refused %s', async (_, body, { pins, serves = true }: { pins?: string; serves?: boolean }, status, code) => {
    const { say, active, wakes } = stage({
      published,
      serves: () => serves,
      pins: new Map(pins === undefined ? [] : [[model, { version: '1', hard: true }]]),
    });
    expect(await say(`/admin/models/${model}/activate`, body)).toMatchObject({ status, body: { code } });
    expect(active.size).toBe(0);
    expect(wakes()).toBe(0);
  });

  it('may, where the deployment has a version of its own only for when the store is away', async () => {
    const { say } = stage({ published, pins: new Map([[model, { version: '1', hard: false }]]) });
    expect((await say(`/admin/models/${model}/activate`, { version: '2' })).status).toBe(202);
  });

  it('is told when there is no such model at all', async () => {
    const answer = await stage().say('/admin/models/nobody-knows/activate', { version: '1' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'UNKNOWN_MODEL' } });
  });

  it('is told when the version is damaged', async () => {
    const { say, objects } = stage({ published });
    objects.set(`models/${model}/2/manifest.json`, '{');
    expect(await say(`/admin/models/${model}/activate`, { version: '2' })).toMatchObject({
      status: 503,
      body: { code: 'MANIFEST_INVALID', retryable: false },
    });
  });
});

describe('an operator who forces a circuit breaker', () => {
  const path = `/admin/breakers/${encodeURIComponent(breaker)}`;

  it('opens it for the whole fleet, for an hour unless told otherwise, and takes the word back', async () => {
    const { say, table, ...control } = stage();

    const opened = await say(path, { state: 'open', why: ' bad translations ' });

    const until = '2026-01-02T04:04:05.678Z';
    expect(opened).toMatchObject({
      status: 202,
      body: { breaker, action: 'open', state: 'FORCED_OPEN', epoch: 1, by: 'alice', why: 'bad translations', until },
    });
    expect(opened.headers.get('location')).toBe('/admin/breakers');
    expect(readEntry(table.read(digestKey).item, breaker).state).toMatchObject({ kind: 'FORCED_OPEN', by: 'alice' });
    const listed = await read(
      await control.app.request('/admin/breakers', { headers: { authorization: `Bearer ${key}` } }),
    );
    expect(listed.body['breakers']).toMatchObject([
      { name: breaker, fleet: { state: 'FORCED_OPEN', forced: { by: 'alice', why: 'bad translations', until } } },
    ]);

    const closed = await say(path, { state: 'closed', why: 'it is watched', for: '30m' });
    expect(closed).toMatchObject({ status: 202, body: { state: 'FORCED_CLOSED', epoch: 2 } });
    expect(await say(path, { state: 'release' })).toMatchObject({
      status: 202,
      body: { action: 'release', state: 'CLOSED', epoch: 3, by: null, why: null, until: null },
    });
    expect(actionsIn(control).map(({ action, breaker: name }) => [action, name])).toEqual([
      ['open', breaker],
      ['closed', breaker],
      ['release', breaker],
    ]);
  });

  it.each([
    ['one of an instance alone', '/admin/breakers/S3', { state: 'open', why: 'x' }, 404],
    ['one of a model that is not there', '/admin/breakers/translate%20no@1', { state: 'open', why: 'x' }, 404],
    ['no state', path, { why: 'x' }, 400],
    ['a state that is none', path, { state: 'ajar', why: 'x' }, 400],
    ['no reason', path, { state: 'open' }, 400],
    ['an empty reason', path, { state: 'open', why: '  ' }, 400],
    ['a long reason', path, { state: 'open', why: 'x'.repeat(201) }, 400],
    ['longer than a week', path, { state: 'open', why: 'x', for: '8d' }, 400],
    ['nothing', path, undefined, 400],
  ])('is told what is wrong with %s', async (_, where, body, status) => {
    const { say, table } = stage();
    expect(await say(where, body)).toMatchObject({ status });
    expect(table.read(digestKey).item).toBeUndefined();
  });
});

describe('who may not', () => {
  it.each(['load', 'unload', 'pin', 'unpin', 'activate'])('have a model %s', async (action) => {
    const reader = authenticateBy({
      [key]: { kind: 'valid', subject: 'reader', scopes: ['read', 'infer'], limits: {} as never },
    });
    const { say, register } = stage({ authenticate: reader });
    expect(await say(`/admin/models/${model}/${action}`)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(register()).toBeUndefined();
  });
});
