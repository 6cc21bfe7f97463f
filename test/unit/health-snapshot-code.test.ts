import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BreakerReport,
  type BreakerState,
  transitions as breakerSteps,
} from '../../shared/breaker/breaker-state.ts';
import { type InstanceEvent, MOST_EVENTS } from '../../shared/fleet/instance-event.ts';
import type { InstanceSnapshot } from '../../shared/fleet/instance-snapshot.ts';
import { decodeSnapshot, encodeSnapshot } from '../../shared/fleet/instance-snapshot-code.ts';
import type { InstanceTraffic } from '../../shared/fleet/instance-traffic.ts';
import type { ModelStatus } from '../../shared/host/model-host.ts';
import { type ModelState, transitions } from '../../shared/host/model-state.ts';
import { snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { testNow } from '../support/inference-app.ts';

/** Times are stored in whole seconds. */
const second = Math.floor(testNow / 1000) * 1000;
const states = Object.keys(transitions) as ModelState[];
const roomy = 100_000;

function stored(snapshot: InstanceSnapshot, maxBytes = roomy) {
  const body = encodeSnapshot(snapshot, maxBytes);
  const { id, at, expiresAt } = snapshot;
  return { bytes: Buffer.byteLength(body), read: decodeSnapshot({ id, at, expiresAt, body }) };
}

const failed = (id: string) =>
  modelStatus({
    id,
    state: 'FAILED',
    progress: 0,
    bytesLoaded: 0,
    memoryMb: 0,
    error: { code: 'STORE_UNAVAILABLE', message: `the store did not answer for ${id}`, retryable: true },
  });
const unloaded = (id: string, lastUsedAt: number) =>
  modelStatus({ id, state: 'UNLOADED', progress: 0, bytesLoaded: 0, memoryMb: 0, lastUsedAt });

describe('a snapshot', () => {
  it.each(states)('tells all of a model that is %s', (state) => {
    const isLoaded = state === 'READY' || state === 'DRAINING';
    const model: ModelStatus = modelStatus({
      state,
      progress: isLoaded ? 1 : 0.429,
      bytesLoaded: isLoaded ? 209_715_200 : 123_456_789,
      leases: 2,
      waiting: 3,
      attempts: 4,
      stays: true,
      secondsLeft: 17,
      startedAt: second - 120_000,
      readyAt: second - 60_000,
      lastUsedAt: second,
      nextTryAt: second + 30_000,
      error: { code: 'STORE_UNAVAILABLE', message: 'S3 está fuera', retryable: true },
    });
    const { report } = stored(snapshotOf({ models: [model] })).read ?? {};
    expect(report?.models).toEqual([model]);
  });

  it('tells that a model waits for a permit', () => {
    const model = modelStatus({ state: 'QUEUED', progress: 0, bytesLoaded: 0, waitsForPermit: true });
    expect(stored(snapshotOf({ models: [model] })).read?.report.models).toEqual([model]);
  });

  it('tells nothing that is not known of a model', () => {
    const model = modelStatus({ state: 'QUEUED', progress: 0, bytesLoaded: 0 });
    expect(stored(snapshotOf({ models: [model] })).read?.report.models).toEqual([model]);
  });

  it.each(['on-demand', 'provisioned-concurrency', 'process'] as const)('tells of the instance, %s', (how) => {
    const snapshot = snapshotOf({
      startedAt: second - 3_600_000,
      initialization: how,
      cpuPercent: 42,
      leftOut: 2,
      models: [modelStatus(), modelStatus({ id: 'b', state: 'WARMING', progress: 0.9 })],
      host: { strategy: 'on_demand', queue: { size: 1, limit: 16, loading: ['b@1'] } },
    });
    expect(stored(snapshot).read).toEqual(snapshot);
  });

  it('tells that memory cannot be read', () => {
    const memory = { protected: false, limitMb: undefined, budgetMb: undefined, rssMb: undefined, reservedMb: 7 };
    expect(stored(snapshotOf({ host: { memory } })).read?.report.memory).toEqual(memory);
  });

  it('tells of the breakers that are not at rest', () => {
    const open = {
      name: 'translate a@1',
      state: 'OPEN',
      since: second - 60_000,
      failures: 5,
      nextProbeAt: second + 240_000,
    };
    const failing = { name: 'translate b@1', state: 'CLOSED', since: second - 90_000, failures: 2 };
    const atRest = { name: 'S3', state: 'CLOSED', since: second - 90_000, failures: 0 };
    const breakers = [open, failing, atRest] as readonly BreakerReport[];
    expect(stored(snapshotOf({ breakers })).read?.breakers).toEqual([open, failing]);
  });

  it.each(Object.keys(breakerSteps) as BreakerState[])('tells of a breaker that is %s', (state) => {
    const breaker = { name: 'detect a@1', state, since: second, failures: 1 };
    expect(stored(snapshotOf({ breakers: [breaker] })).read?.breakers).toEqual([breaker]);
  });

  it('tells of the breakers that calls came to, briefly where the model is told of as well', () => {
    const models = [modelStatus({ id: 'a' }), modelStatus({ id: 'b', version: '1.0.0' })];
    const known = ['translate a@1', 'translate b@1.0.0', 'load b@1.0.0'];
    const others = ['translate gone@1', 'sing a@1', 'translate a@1 twice', 'translate'];

    const { bytes, read } = stored(snapshotOf({ models, asked: [...known, ...others] }));

    expect(read?.asked).toEqual([...known, ...others]);
    expect(bytes - stored(snapshotOf({ models, asked: others })).bytes).toBe('[0,1],[],[1],'.length);
  });

  it.each(['[[0,9]]', '[[0],[],[],[0]]'])(
    'that is written as asked %s tells of no breaker that means nothing here',
    (rows) => {
      const snapshot = snapshotOf({ models: [modelStatus()], asked: ['translate translate-en-es@1'] });
      const written = encodeSnapshot(snapshot, roomy);
      expect(written).toMatch(/\[\[0\]\],\[\],null,\[\]\]$/);
      const { id, at, expiresAt } = snapshot;

      const read = decodeSnapshot({
        id,
        at,
        expiresAt,
        body: written.replace(/\[\[0\]\],\[\],null,\[\]\]$/, `${rows},[],null,[]]`),
      });

      expect(read?.asked).toEqual(['translate translate-en-es@1']);
    },
  );

  it('tells what the instance has had to do', () => {
    expect(stored(snapshotOf({ traffic: busy })).read?.traffic).toEqual(busy);
    const fresh = { ...busy, serviceMs: undefined };
    expect(stored(snapshotOf({ traffic: fresh })).read?.traffic).toEqual(fresh);
  });

  it('tells of any step of a model or a breaker, of models that are not told of as well', () => {
    const at = fc.integer({ min: 0, max: 86_400 }).map((age) => second - age * 1000);
    const step = fc.record({
      kind: fc.constant('model' as const),
      at,
      model: fc.constantFrom('a@1', 'gone@2.0.0'),
      from: fc.constantFrom(...states),
      to: fc.constantFrom(...states),
      tookMs: fc.option(
        fc.nat(10_000).map((tenths) => tenths * 100),
        { nil: undefined },
      ),
      code: fc.constantFrom(undefined, 'LOAD_TIMEOUT'),
    });
    const breakerStates = Object.keys(breakerSteps) as BreakerState[];
    const turn = fc.record({
      kind: fc.constant('breaker' as const),
      at,
      breaker: fc.constantFrom('translate a@1', 'S3'),
      from: fc.constantFrom(...breakerStates),
      to: fc.constantFrom(...breakerStates),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(step, turn), { maxLength: 8 }), (events) => {
        const { read } = stored(snapshotOf({ models: [modelStatus({ id: 'a' })], events }));
        expect(read?.events).toEqual(events);
      }),
    );
  });

  it.each(['[[0,0,9,5]]', '[[0,7,4,5]]', '[[0,"a@1",4,99]]', '[[0,"S3",10,14]]', '[[0,0,10,11]]'])(
    'that is written with events %s tells of none of something that is not known here',
    (rows) => {
      const { id, at, expiresAt, ...rest } = snapshotOf({ models: [modelStatus()] });
      const body = encodeSnapshot({ id, at, expiresAt, ...rest }, roomy).replace(/\[\]\]$/, `${rows}]`);
      expect(body).toContain(rows);
      expect(decodeSnapshot({ id, at, expiresAt, body })?.events).toEqual([]);
    },
  );

  it('of the format before is understood, without traffic and events', () => {
    const startedAt = second - 3_600_000;
    const snapshot = snapshotOf({ startedAt, models: [modelStatus()], traffic: busy, events });
    const { id, at, expiresAt } = snapshot;
    const values = JSON.parse(encodeSnapshot(snapshot, roomy));
    const body = JSON.stringify([3, ...values.slice(1, -2)]);

    expect(decodeSnapshot({ id, at, expiresAt, body })).toEqual({
      ...snapshot,
      traffic: undefined,
      events: [],
    });
  });

  it('repeats a time in the same words, however much later it is told again', () => {
    const startedAt = testNow - 7_777;
    const times = [0, 300, 999, 1_234].map((later) => {
      const { read } = stored(snapshotOf({ at: testNow + later, models: [modelStatus({ startedAt })] }));
      return read?.report.models[0]?.startedAt;
    });
    expect(new Set(times).size).toBe(1);
  });

  it('never tells of a next try before its time', () => {
    const nextTryAt = second + 1_001;
    const { read } = stored(snapshotOf({ models: [modelStatus({ nextTryAt })] }));
    expect(read?.report.models[0]?.nextTryAt).toBe(second + 2_000);
  });

  it.each(['', 'null', '[]', '[3]', '{"v":1}', '[2,0,0,0,"1",0,[1,1,1,1,1],[0,1,[]],0,[],[]]'])(
    'that another version wrote as %j is not understood, and no failure',
    (body) => {
      expect(decodeSnapshot({ id: 'i', at: 1, expiresAt: 2, body })).toBeUndefined();
    },
  );
});

/** Counters of an instance that has served for a day. */
const busy: InstanceTraffic = {
  requests: 123_456,
  failures: 12,
  shed: 345,
  inFlight: 2,
  queueDelayMs: 15,
  serviceMs: { p50: 27, p90: 140 },
  tokens: 2_345_678,
  loads: 30,
  evictions: 18,
};
const events: readonly InstanceEvent[] = Array.from({ length: MOST_EVENTS }, (_, n) => ({
  kind: 'model',
  at: second - n * 60_000,
  model: 'translate-en-es@1',
  from: 'WARMING',
  to: 'READY',
  tookMs: 1_200,
  code: undefined,
}));

describe('a snapshot without room', () => {
  it('leaves out events first, the oldest before the others, and then its traffic', () => {
    const models = [modelStatus(), failed('broken')];
    const whole = snapshotOf({ models, traffic: busy, events });
    const { bytes } = stored(whole);

    expect(stored(whole, bytes - 1).read?.events).toEqual(events.slice(0, -1));
    const bare = stored(snapshotOf({ models, traffic: busy })).bytes;
    expect(stored(whole, bare).read).toMatchObject({ events: [], traffic: busy });
    const without = stored(whole, bare - 1).read;
    expect(without?.traffic).toBeUndefined();
    expect(without?.report.models[1]?.error?.message).not.toBe('');
  });

  it('is 180 bytes longer at most by what an instance has to do and its last events', () => {
    const models = [modelStatus()];
    expect(
      stored(snapshotOf({ models, traffic: busy, events })).bytes - stored(snapshotOf({ models })).bytes,
    ).toBeLessThan(180);
  });

  it('of a dozen models at work, busy for a day, is under 930 bytes', () => {
    const models = Array.from({ length: 12 }, (_, n) =>
      modelStatus({
        id: `translate-xx-${n + 10}`,
        version: '1.12.3',
        leases: 10,
        startedAt: testNow - 86_400_000,
        readyAt: testNow - 86_300_000,
        lastUsedAt: testNow - 1000,
      }),
    );
    const asked = models.map(({ id, version }) => `translate ${id}@${version}`);
    expect(stored(snapshotOf({ models, asked, cpuPercent: 100 })).bytes).toBeLessThan(930);
  });

  it('has short messages of errors in any case', () => {
    const error = { code: 'X', message: 'a'.repeat(500), retryable: false };
    const { read } = stored(snapshotOf({ models: [modelStatus({ state: 'FAILED', error })] }));
    expect(read?.report.models[0]?.error?.message).toBe('a'.repeat(100));
  });

  it('leaves the messages of errors out first', () => {
    const models = [modelStatus(), failed('broken'), unloaded('idle', second)];
    const whole = stored(snapshotOf({ models }));

    const { bytes, read } = stored(snapshotOf({ models }), whole.bytes - 1);

    expect(bytes).toBeLessThan(whole.bytes);
    expect(read?.report.models.map(({ id }) => id)).toEqual(['translate-en-es', 'broken', 'idle']);
    expect(read?.report.models[1]?.error).toEqual({ code: 'STORE_UNAVAILABLE', message: '', retryable: true });
    expect(read?.leftOut).toBe(0);
  });

  it('then leaves out breakers that calls came to, the last ones first, before any model', () => {
    const models = [modelStatus(), unloaded('idle', second)];
    const asked = ['translate translate-en-es@1', 'detect idle@1', 'load idle@1'];
    const whole = stored(snapshotOf({ models, asked }));

    const { read } = stored(snapshotOf({ models, asked }), whole.bytes - 1);
    expect(read?.asked).toEqual(asked.slice(0, 2));
    expect(read?.leftOut).toBe(0);

    const without = stored(snapshotOf({ models }));
    expect(stored(snapshotOf({ models, asked }), without.bytes).read).toMatchObject({ asked: [], leftOut: 0 });
  });

  it('then leaves out models that are UNLOADED, the least recently used first, and counts them', () => {
    const models = [unloaded('newer', second - 1_000), unloaded('older', second - 9_000), modelStatus()];
    const whole = stored(snapshotOf({ models }));

    const { read } = stored(snapshotOf({ models }), whole.bytes - 1);

    expect(read?.report.models.map(({ id }) => id)).toEqual(['newer', 'translate-en-es']);
    expect(read?.report.models[1]).toEqual(modelStatus());
    expect(read?.leftOut).toBe(1);
  });

  it('then leaves out the numbers of models that are READY', () => {
    const queue = { size: 0, limit: 8, loading: ['coming@1'] };
    const models = [modelStatus({ leases: 3, startedAt: second }), unloaded('idle', second), failed('broken')];
    const coming = modelStatus({ id: 'coming', state: 'DOWNLOADING', progress: 0.5, bytesLoaded: 7, waiting: 1 });

    const { read } = stored(snapshotOf({ models: [...models, coming], host: { queue } }), 1);

    expect(read?.leftOut).toBe(1);
    expect(read?.report.models).toMatchObject([
      { id: 'translate-en-es', state: 'READY', progress: 1, memoryMb: 455, leases: 0, bytesTotal: 0 },
      { id: 'broken', state: 'FAILED', error: { code: 'STORE_UNAVAILABLE' } },
      coming,
    ]);
    expect(read?.report.queue).toEqual(queue);
  });

  it('is never refused and never hides a model that is at work', () => {
    const model = fc.record({
      id: fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/),
      state: fc.constantFrom(...states),
      lastUsedAt: fc.integer({ min: 0, max: testNow }),
    });
    fc.assert(
      fc.property(fc.array(model, { maxLength: 40 }), fc.integer({ min: 0, max: 3000 }), (changes, maxBytes) => {
        const models = changes.map((change) => modelStatus(change));
        const { bytes, read } = stored(snapshotOf({ models }), maxBytes);
        const namesOf = (all: readonly ModelStatus[] = []) =>
          all.filter(({ state }) => state !== 'UNLOADED').map(({ id, state }) => [id, state]);
        expect(namesOf(read?.report.models)).toEqual(namesOf(models));
        expect((read?.report.models.length ?? 0) + (read?.leftOut ?? 0)).toBe(models.length);
        // Only what is at work may take more than there is room for.
        if (bytes > maxBytes) expect(read?.report.models.some(({ state }) => state === 'UNLOADED')).toBe(false);
      }),
    );
  });
});
