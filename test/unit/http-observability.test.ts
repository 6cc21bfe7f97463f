import { describe, expect, it } from 'vitest';
import { createFleetMetricsPage } from '../../functions/control/metrics-page.ts';
import { sumUpMemory } from '../../shared/fleet/memory/fleet-memory.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';
import { createTestControl } from '../support/control-app.ts';
import { fleetOf, snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { testNow } from '../support/inference-app.ts';

describe('control', () => {
  it('answers /metrics with what the instances tell, as Prometheus reads it', async () => {
    const fleet = fleetOf(snapshotOf({ id: 'a', models: [modelStatus({ leases: 3 })] }));
    const { app } = createTestControl({ metricsPage: createFleetMetricsPage(async () => fleet) });

    const answer = await app.request('/metrics');

    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('casalingua_instance_model_leases{instance="a",model="translate-en-es@1"} 3');
  });

  it('answers /admin/memory-snapshots with as many as it is asked for', async () => {
    const asked: number[] = [];
    const memory = sumUpMemory({ snapshots: [snapshotOf()], unreadable: 0 }, testNow);
    const { app } = createTestControl({
      memoryHistory: async (limit) => {
        asked.push(limit);
        return [memory];
      },
    });

    const answers = [
      await app.request('/admin/memory-snapshots'),
      await app.request('/admin/memory-snapshots?limit=3'),
    ];

    expect(asked).toEqual([48, 3]);
    for (const answer of answers) {
      expect(await answer.json()).toEqual({ timestamp: '2026-01-02T03:04:05.678Z', snapshots: [memory] });
    }
    expect((await app.request('/admin/memory-snapshots?limit=1000')).status).toBe(400);
  });

  it('says when to come back while the memory snapshots cannot be read', async () => {
    const { app } = createTestControl({ memoryHistory: () => Promise.reject(new StoreUnavailableError('S3 is away')) });
    const answer = await app.request('/admin/memory-snapshots');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  });

  it('tells in /health/detailed what each instance has had to do, and what happened last', async () => {
    const traffic = {
      requests: 10,
      failures: 1,
      shed: 2,
      inFlight: 1,
      queueDelayMs: 3,
      serviceMs: { p50: 20, p90: 250 },
      tokens: 99,
      loads: 3,
      evictions: 1,
    };
    const came = { kind: 'model', model: 'm@1', from: 'WARMING', to: 'READY', tookMs: 1_200, code: undefined } as const;
    const opened = { kind: 'breaker', breaker: 'load m@1', from: 'CLOSED', to: 'OPEN' } as const;
    const fleet = fleetOf(
      snapshotOf({ id: 'a', traffic, events: [{ ...came, at: testNow - 2_000 }] }),
      snapshotOf({ id: 'b', events: [{ ...opened, at: testNow - 1_000 }] }),
    );
    const { app } = createTestControl({ fleet });

    const health = (await (await app.request('/health/detailed')).json()) as {
      instances: { id: string; traffic: unknown }[];
      events: unknown[];
    };

    const [a, b] = ['a', 'b'].map((id) => health.instances.find((instance) => instance.id === id)?.traffic);
    expect(a).toEqual({
      requests: 10,
      failures: 1,
      shed: 2,
      in_flight: 1,
      queue_delay_ms: 3,
      service_ms: { p50: 20, p90: 250 },
      tokens: 99,
      loads: 3,
      evictions: 1,
    });
    expect(b).toBeNull();
    expect(health.events).toMatchObject([
      { instance: 'b', kind: 'breaker', breaker: 'load m@1', from: 'CLOSED', to: 'OPEN' },
      { instance: 'a', kind: 'model', model: 'm@1', to: 'READY', took_ms: 1_200, code: null },
    ]);
  });
});
