import { describe, expect, expectTypeOf, it } from 'vitest';
import type { accessDocument } from '../../functions/control/admin/access-document.ts';
import type { adminModelDetailDocument, adminModelsDocument } from '../../functions/control/admin/admin-documents.ts';
import { callerInWords, whyMayNotAct } from '../../functions/control/dashboard/page/act/access.ts';
import type {
  AccessDocument,
  AdminModel,
  AdminModelsDocument,
  HealthDocument,
  MemorySnapshotsDocument,
  ProblemDocument,
} from '../../functions/control/dashboard/page/read/documents.ts';
import { breakerRows } from '../../functions/control/dashboard/page/view/breaker-rows.ts';
import { eventRows } from '../../functions/control/dashboard/page/view/event-rows.ts';
import { instanceRows } from '../../functions/control/dashboard/page/view/instance-rows.ts';
import { loadRows } from '../../functions/control/dashboard/page/view/load-rows.ts';
import { modelRows } from '../../functions/control/dashboard/page/view/model-rows.ts';
import { overviewOf } from '../../functions/control/dashboard/page/view/overview.ts';
import { age, amount, duration, megabytes, milliseconds } from '../../functions/control/dashboard/page/view/words.ts';
import type { detailedDocument } from '../../functions/control/health-document.ts';
import type { FleetMemory } from '../../shared/fleet/memory/fleet-memory.ts';
import type { Problem } from '../../shared/http/problem.ts';
import {
  adminModelWith,
  breakerWith,
  documentsNow,
  healthWith,
  instanceWith,
  modelWith,
  secondsAgo,
} from '../support/dashboard-documents.ts';

const admin = { caller: 'alice', scopes: ['read', 'admin'] };
const inSeconds = (seconds: number) => secondsAgo(-seconds);
const wish = { seq: 7, by: 'alice', until: null, is_over: false, carried_out: 1, instances: 2 };

it('reads what the control function answers', () => {
  expectTypeOf<ReturnType<typeof detailedDocument>>().toExtend<HealthDocument>();
  expectTypeOf<ReturnType<typeof adminModelsDocument>>().toExtend<AdminModelsDocument>();
  expectTypeOf<ReturnType<typeof adminModelDetailDocument>>().toExtend<AdminModel>();
  expectTypeOf<ReturnType<typeof accessDocument>>().toExtend<AccessDocument>();
  expectTypeOf<{ snapshots: readonly FleetMemory[] }>().toExtend<MemorySnapshotsDocument>();
  expectTypeOf<Problem>().toExtend<ProblemDocument>();
});

describe('words', () => {
  it('say how long, in units that one can grasp', () => {
    expect([400, 59_400, 60_000, 200_000, 7_320_000, 97_200_000].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1 min',
      '3 min 20 s',
      '2 h 2 min',
      '1 d 3 h',
    ]);
    expect([59_400, 200_000, -5].map(age)).toEqual(['59 s', '3 min', '0 s']);
  });

  it('say how much, as precisely as it is worth', () => {
    expect([0, 0.256, 3, 3.44, 12.6].map(amount)).toEqual(['0', '0.26', '3', '3.4', '13']);
    expect([200.4, 1_536].map(megabytes)).toEqual(['200 MB', '1.5 GB']);
    expect([21.4, 6_312].map(milliseconds)).toEqual(['21 ms', '6.3 s']);
  });
});

describe('the overview', () => {
  it('has the status with its reasons, and the fleet in figures', () => {
    const instances = [instanceWith(), instanceWith({ id: 'b', stale: true })];
    const health = healthWith({
      status: 'degraded',
      reasons: ['a model has FAILED'],
      instances,
      models: [modelWith('x', 'READY'), modelWith('y', 'FAILED')],
      model_queue: { size: 2, currently_loading: ['z@1'] },
      admission: { in_flight: 3, waiting: 1, queue_delay_ms: 2, service_ms: { p50: 9, p90: 21.4 } },
    });
    const { status, reasons, tiles } = overviewOf(health, 1.24);
    expect(status).toEqual({ word: 'DEGRADED', tone: 'warn' });
    expect(reasons).toEqual(['a model has FAILED']);
    expect(tiles.map(({ name, figure, note }) => `${name}: ${figure}, ${note}`)).toEqual([
      'Instances: 2, 1 is stale',
      'Models ready: 1 of 2, 1 FAILED',
      'Load queue: 2, 1 version loads',
      'Memory: 25 %, 1.0 GB of 4.0 GB, models 400 MB',
      'Requests: 1.2 /s, 3 in flight, 1 waiting',
      'Service time: 21 ms, p90 of the slowest instance',
    ]);
  });

  it('does not pretend to know', () => {
    const { tiles } = overviewOf(healthWith(), undefined);
    expect(tiles.filter(({ figure }) => figure === '–').map(({ name }) => name)).toEqual(['Requests', 'Service time']);
  });
});

describe('a model', () => {
  const rowOf = (health: HealthDocument, model?: AdminModel, access: AccessDocument | undefined = admin) =>
    modelRows(health, model && { models: [model], reasons: [] }, access, documentsNow)[0];
  const offersOf = (model: AdminModel, access = admin) =>
    rowOf(healthWith({ models: [modelWith(model.id, 'READY')] }), model, access)?.offers.map(
      ({ label, whyNot }) => `${label}: ${whyNot ?? 'yes'}`,
    );

  it('shows how far its load is, also where an older version serves meanwhile', () => {
    const load = { instance: 'a', model: 'x', version: '2', phase: 'DOWNLOADING', bytes_loaded: 1, bytes_total: 4 };
    const loads = [{ ...load, progress: 0.25, seconds_left: 3, waits_for_permit: false, stale: false }];
    const health = healthWith({ models: [modelWith('x', 'READY', { READY: 1, DOWNLOADING: 1 })], loads });
    expect(rowOf(health)).toMatchObject({
      state: { word: 'READY', tone: 'good' },
      progress: 0.25,
      where: 'READY on 1, DOWNLOADING on 1',
    });
    expect(rowOf(healthWith({ models: [modelWith('x', 'READY')] }))?.progress).toBeUndefined();
  });

  it('tells what operators want of it, and how many have done it', () => {
    const wanted = (changes: object) =>
      rowOf(healthWith({ models: [modelWith('x', 'READY')] }), adminModelWith('x', changes))?.wish;
    expect(wanted({})).toBe('–');
    expect(wanted({ wish: { ...wish, want: 'pinned' } })).toBe('pinned by alice, taken up by 1 of 2');
    expect(wanted({ wish: { ...wish, want: 'pinned', is_over: true } })).toBe('–');
    expect(wanted({ always_loaded: true, wish: { ...wish, want: 'loaded' } })).toBe(
      'to be loaded by alice, taken up by 1 of 2; configured to stay',
    );
  });

  it('offers what can be done, and says why something cannot', () => {
    expect(offersOf(adminModelWith('x'))).toEqual(['Load: yes', 'Unload: yes', 'Pin: yes', 'Activate…: yes']);
    const pinned = adminModelWith('x', { wish: { ...wish, want: 'pinned' } });
    expect(offersOf(pinned)).toContain('Unload: it is pinned: unpin it first');
    expect(offersOf(pinned)).toContain('Unpin: yes');
    expect(offersOf(adminModelWith('x', { preload: true }))).toContain('Unload: the deployment configures it to stay');
    const fixed = adminModelWith('x', { version_pin: { version: '1', hard: true } });
    expect(offersOf(fixed)).toContain('Activate…: the deployment decides on the version');
    const over = { ...wish, want: 'pinned', until: secondsAgo(1) };
    expect(offersOf(adminModelWith('x', { wish: over }))).toContain('Pin: yes');
  });

  it('can be changed by nobody who may only look', () => {
    const reader = { caller: 'bob', scopes: ['read'] };
    const why = 'the key of bob may look, not act: this needs the scope admin';
    expect(
      new Set(offersOf(adminModelWith('x'), reader)?.map((offer) => offer.split(': ').slice(1).join(': '))),
    ).toEqual(new Set([why]));
    expect(whyMayNotAct({ caller: 'anonymous', scopes: ['read'] })).toBe('this needs a key with the scope admin');
    expect(whyMayNotAct(undefined)).toMatch(/not known yet/);
    expect([callerInWords(undefined, false), callerInWords(admin, true), callerInWords(reader, true)]).toEqual([
      'Key: none',
      'alice: may act',
      'bob: may look',
    ]);
  });
});

describe('a circuit breaker', () => {
  const name = 'translate x@1.0.0';
  const rowOf = (health: HealthDocument) =>
    breakerRows(health, undefined, admin, documentsNow).find(({ id }) => id === name);
  const shared = (fleet: Parameters<typeof breakerWith>[1]) =>
    rowOf(healthWith({ breakers: [breakerWith(name, fleet)] }));

  it('that is open for the fleet counts down to its next probe, and says who tries', () => {
    const open = { state: 'OPEN', since: secondsAgo(48), next_probe_at: inSeconds(252), openings: 2 };
    expect(shared(open)).toMatchObject({
      state: { word: 'OPEN', tone: 'bad' },
      where: 'the whole fleet',
      why: expect.stringMatching(/^since .+, calls failed; opened 2 times in a row$/),
      next: 'in 4 min 12 s',
    });
    expect(shared({ ...open, next_probe_at: secondsAgo(1) })?.next).toBe('with the next call');
    const probe = { owner: 'b', since: secondsAgo(3), lease_seconds: 10 };
    expect(shared({ ...open, state: 'HALF_OPEN', next_probe_at: null, probe })).toMatchObject({
      state: { word: 'HALF OPEN' },
      next: 'b tries one call, for 3 s',
    });
    expect(shared({ ...open, state: 'RAMP' })?.next).toBe('more and more calls go through');
  });

  it('that is forced says by whom, why and for how long, until that is over', () => {
    const forced = (seconds: number) => ({
      state: 'FORCED_OPEN',
      forced: { by: 'alice', why: 'bad answers', until: inSeconds(seconds) },
    });
    expect(shared(forced(90))).toMatchObject({
      state: { word: 'FORCED OPEN', tone: 'bad' },
      why: expect.stringMatching(/^alice until .+: bad answers$/),
      next: 'calls decide in 1 min 30 s',
    });
    expect(shared(forced(90))?.offers.find(({ label }) => label === 'Release')?.whyNot).toBeUndefined();
    expect(shared(forced(-1))).toMatchObject({ state: { word: 'CLOSED' }, why: 'forced by alice, which is over' });
  });

  it('that is open on some instances alone has the earliest probe of theirs', () => {
    const own = (failures: number, seconds: number) => ({
      breakers: [{ name, state: 'OPEN', failures, next_probe_at: inSeconds(seconds) }],
    });
    const instances = [instanceWith({ id: 'a', ...own(5, 20) }), instanceWith({ id: 'b', ...own(6, 10) })];
    expect(rowOf(healthWith({ breakers: [breakerWith(name, null, { OPEN: 2, CLOSED: 1 })], instances }))).toMatchObject(
      {
        state: { word: 'OPEN' },
        where: 'OPEN on 2',
        why: '5 failures on a; 6 failures on b',
        next: 'in 10 s',
      },
    );
  });

  it('is there to be forced before it has ever opened, unless it is an instance’s own', () => {
    const models = { models: [adminModelWith('x'), adminModelWith('d', { task: 'language-detection' })], reasons: [] };
    const forced = breakerWith('load x@1.0.0', {
      state: 'FORCED_OPEN',
      forced: { by: 'alice', why: 'a test', until: null },
    });
    const health = healthWith({ breakers: [breakerWith('S3', null, { CLOSED: 1 }), forced] });
    const rows = breakerRows(health, models, admin, documentsNow);
    expect(rows.map(({ id, offers }) => [id, ...offers.map(({ whyNot }) => whyNot ?? 'yes')])).toEqual([
      ['S3', ...Array(3).fill('each instance has its own: it cannot be forced')],
      ['detect d@1.0.0', 'yes', 'yes', 'nobody has forced it'],
      ['load d@1.0.0', 'yes', 'yes', 'nobody has forced it'],
      ['load x@1.0.0', 'yes', 'yes', 'yes'],
      [name, 'yes', 'yes', 'nobody has forced it'],
    ]);
  });
});

describe('instances, loads and events', () => {
  it('have rows that stay where they are, and say what is stale', () => {
    const instances = [
      instanceWith({ id: 'young', started_at: secondsAgo(60) }),
      instanceWith({
        id: 'old',
        stale: true,
        seen_at: secondsAgo(130),
        traffic: { requests: 12, failures: 1, shed: 3 },
        models: [{ name: 'x', version: '1', state: 'READY', memory_mb: 1 }],
      }),
    ];
    expect(instanceRows(instances, documentsNow)).toMatchObject([
      {
        id: 'old',
        state: { word: 'STALE', tone: 'warn' },
        heard: 'silent for 2 min: idle, or gone',
        cpu: 'idle',
        models: 'x@1 READY',
        traffic: '12 requests, 1 failure, 3 refused',
        memoryInWords: '500 MB of 4.0 GB, models 200 MB of 2.9 GB',
      },
      { id: 'young', heard: '3 s ago', uptime: '1 min', traffic: 'not told', models: 'none' },
    ]);
  });

  it('tell of a load its phase, bytes and what is left', () => {
    const load = {
      instance: 'a',
      model: 'x',
      version: '1',
      phase: 'DOWNLOADING',
      progress: 0.459,
      bytes_loaded: 3_250_586,
      bytes_total: 10_485_760,
      seconds_left: 12,
      waits_for_permit: false,
      stale: false,
    };
    expect(loadRows([load])).toEqual([
      {
        id: 'a x@1',
        model: 'x@1',
        instance: 'a',
        phase: { word: 'DOWNLOADING', tone: 'busy' },
        progress: 0.459,
        done: '45 %, 3.1 of 10.0 MB',
        left: 'about 12 s',
      },
    ]);
    expect(
      loadRows([{ ...load, phase: 'QUEUED', waits_for_permit: true, stale: true, seconds_left: null }]),
    ).toMatchObject([{ phase: { word: 'QUEUED' }, left: 'stands still: its instance says nothing' }]);
    expect(loadRows([{ ...load, waits_for_permit: true }])[0]?.left).toBe('waits for a permit');
  });

  it('tell of an event what is new, what was before, and why', () => {
    const model = {
      at: secondsAgo(9),
      instance: 'a',
      model: 'x@1',
      from: 'WARMING',
      to: 'READY',
      took_ms: 2_140,
      code: null,
    };
    const breaker = { at: secondsAgo(9), instance: 'a', breaker: 'load x@1', from: 'HALF_OPEN', to: 'OPEN' };
    const failed = { ...model, to: 'FAILED', code: 'FILE_CORRUPT' };
    const rows = eventRows([model, breaker, failed, failed], documentsNow);
    expect(rows).toMatchObject([
      { subject: 'x@1', state: { word: 'READY' }, detail: 'from WARMING after 2.1 s' },
      { subject: 'breaker load x@1', state: { word: 'OPEN', tone: 'bad' }, detail: 'from HALF OPEN' },
      { state: { word: 'FAILED' }, detail: 'from WARMING after 2.1 s: FILE_CORRUPT' },
      {},
    ]);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(4);
  });
});
