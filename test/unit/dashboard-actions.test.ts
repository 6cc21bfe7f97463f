import { describe, expect, it } from 'vitest';
import type { Action } from '../../functions/control/dashboard/page/act/action.ts';
import { formOf, requestOf } from '../../functions/control/dashboard/page/act/action-form.ts';
import { pursue } from '../../functions/control/dashboard/page/act/pursuit.ts';
import { createTestControl } from '../support/control-app.ts';
import { adminModelWith, documentsNow, healthWith, instanceWith } from '../support/dashboard-documents.ts';

const model = 'translate-en-es';
const breaker = `translate ${model}@1.0.0`;

/** Sends it to the real app, as the page would. */
async function carryOut(action: Action, values: Readonly<Record<string, string>>, known = adminModelWith(model)) {
  const { path, body } = requestOf(action, values, known);
  const { app } = createTestControl();
  const answer = await app.request(`/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

describe('an action', () => {
  it.each<readonly [Action, Readonly<Record<string, string>>, object]>([
    [{ kind: 'load', model }, { for: '2h' }, { action: 'load', want: 'loaded', until: expect.any(String) }],
    [{ kind: 'load', model }, { for: '' }, { action: 'load', until: null }],
    [{ kind: 'unload', model }, {}, { action: 'unload', want: 'unloaded' }],
    [{ kind: 'pin', model }, { for: '7d' }, { action: 'pin', want: 'pinned' }],
    [
      { kind: 'open', breaker },
      { why: ' bad answers ', for: '15m' },
      { state: 'FORCED_OPEN', why: 'bad answers' },
    ],
    [{ kind: 'closed', breaker }, { why: 'a test', for: '7d' }, { state: 'FORCED_CLOSED' }],
    [{ kind: 'release', breaker }, {}, { action: 'release', state: 'CLOSED' }],
  ])('is asked for in the way that the service takes: %j %j', async (action, values, body) => {
    expect(await carryOut(action, values)).toMatchObject({ status: 202, body });
  });

  it('names what it is done to so that any name comes through', () => {
    expect(requestOf({ kind: 'open', breaker }, { why: 'x' }, undefined).path).toBe(
      'admin/breakers/translate%20translate-en-es%401.0.0',
    );
  });

  it('is refused by the service with words to show', async () => {
    expect(await carryOut({ kind: 'unpin', model }, {})).toMatchObject({
      status: 409,
      body: {
        code: 'NOT_PINNED',
        title: expect.any(String),
        detail: expect.any(String),
        requestId: expect.any(String),
      },
    });
  });

  it('of which somebody else was faster is told so, not carried out over it', () => {
    const known = adminModelWith(model, { active: { version: '1', seq: 3, previous: null } });
    expect(requestOf({ kind: 'activate', model }, { version: '2' }, known).body).toEqual({
      version: '2',
      expected_seq: 3,
    });
    expect(requestOf({ kind: 'activate', model }, { version: '2' }, undefined).body).toEqual({ version: '2' });
  });

  it('asks for what is needed: how long, why, which version, the previous one first', () => {
    const fields = (action: Action, known?: ReturnType<typeof adminModelWith>) =>
      formOf(action, known).fields.map((field) =>
        field.kind === 'words' ? field.name : `${field.name} ${field.choices.map(({ value }) => value).join(' ')}`,
      );
    expect(fields({ kind: 'unload', model })).toEqual([]);
    expect(fields({ kind: 'open', breaker })).toEqual(['why', 'for 15m 1h 6h 1d 7d']);
    const known = adminModelWith(model, {
      active: { version: '1.1', seq: 3, previous: '1.0' },
      versions: ['0.9', '1.0', '1.1', '1.2'],
    });
    expect(fields({ kind: 'activate', model }, known)).toEqual(['version 1.0 1.2 0.9']);
    expect(formOf({ kind: 'activate', model }, known).explanation).toMatch(/^Active is 1\.1\./);
    expect(fields({ kind: 'activate', model }, undefined)).toEqual(['version ']);
  });
});

describe('what comes of an action', () => {
  const answer = { seq: 7, announced: true, woken: true };
  const wish = { seq: 7, want: 'loaded', by: 'alice', until: null, is_over: false, carried_out: 1, instances: 2 };
  const pursueWish = (kind: 'load' | 'unload', changes: object, told: object = answer) =>
    pursue(
      { kind, model },
      told,
      healthWith(),
      { models: [adminModelWith(model, { status: 'DOWNLOADING', loading_progress: 0.4, ...changes })], reasons: [] },
      documentsNow,
    );

  it('is followed until every instance has done it and the model is READY', () => {
    expect(pursueWish('load', {})).toMatchObject({ words: 'Accepted as wish 7.', progress: undefined, isOver: false });
    const states = { DOWNLOADING: 1 };
    expect(pursueWish('load', { wish, states })).toEqual({
      words: 'Accepted as wish 7. 1 of 2 instances have taken it up. Now DOWNLOADING on 1.',
      progress: 0.4,
      isOver: false,
    });
    const done = { ...wish, carried_out: 2 };
    expect(pursueWish('load', { wish: done }).isOver).toBe(false);
    expect(pursueWish('load', { wish: done, status: 'READY' }).isOver).toBe(true);
    expect(pursueWish('load', { wish, status: 'READY' }).isOver).toBe(false);
    expect(pursueWish('load', { wish, status: 'FAILED' }).isOver).toBe(true);
    const unloaded = { ...done, want: 'unloaded' };
    expect(pursueWish('unload', { wish: unloaded, states: {} })).toMatchObject({
      words: expect.stringMatching(/Now not loaded anywhere\.$/),
      isOver: true,
    });
  });

  it('is not mistaken for what somebody else wished before or after', () => {
    expect(pursueWish('load', { wish: { ...wish, seq: 6, carried_out: 2 }, status: 'READY' }).isOver).toBe(false);
    expect(pursueWish('load', { wish: { ...wish, seq: 8, by: 'bob' } })).toMatchObject({
      words: 'Accepted as wish 7. bob wants it otherwise by now.',
      isOver: true,
    });
  });

  it('may have to wait for an instance, or for the word to spread', () => {
    const nobody = { wish: { ...wish, instances: 0 } };
    expect(pursueWish('load', nobody).words).toBe('Accepted as wish 7. No instance is live: one is being woken.');
    expect(pursueWish('load', nobody, { ...answer, announced: false, woken: false }).words).toMatch(
      /up to a minute later\. No instance is live: it happens with the next request\.$/,
    );
  });

  it('of an activation is that the new version serves and the old one is gone', () => {
    const activate = (versions: readonly (readonly [string, string])[], changed = true) => {
      const models = versions.map(([version, state]) => ({ name: model, version, state, memory_mb: 1 }));
      const health = healthWith({ instances: [instanceWith({ models })] });
      return pursue({ kind: 'activate', model }, { version: '2', changed }, health, undefined, documentsNow);
    };
    const ready = ['2', 'READY'] as const;
    expect(
      activate([
        ['1', 'READY'],
        ['2', 'DOWNLOADING'],
      ]),
    ).toMatchObject({ progress: 0, isOver: false });
    expect(activate([['1', 'DRAINING'], ready])).toMatchObject({ progress: 0.5, isOver: false });
    expect(activate([['1', 'UNLOADED'], ready])).toMatchObject({ progress: 1, isOver: true });
    expect(activate([]).words).toBe('2 is active. It loads when it is asked for.');
    expect(activate([], false).words).toBe('2 was active already.');
  });

  it('of a word about a breaker is the state that it is in', () => {
    const forced = pursue({ kind: 'open', breaker }, { state: 'FORCED_OPEN', until: null }, healthWith(), undefined, 0);
    expect(forced).toMatchObject({ words: expect.stringMatching(/^It is FORCED OPEN\./), isOver: true });
  });
});
