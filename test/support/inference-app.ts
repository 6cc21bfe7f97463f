import type { Hono } from 'hono';
import { createApp, type InferenceApp } from '../../functions/inference/app.ts';
import { createModelBreakers } from '../../functions/inference/model-breakers.ts';
import type { Gate } from '../../shared/admission/gate.ts';
import type { CallerLimits } from '../../shared/config/caller-limits.ts';
import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';
import type { Limits } from '../../shared/config/settings.ts';
import { RateLimits } from '../../shared/fleet/rate-limits/rate-limits.ts';
import type { TakeSnapshot } from '../../shared/fleet/snapshot-source.ts';
import type { LoadGuard } from '../../shared/host/load-guard.ts';
import type { Authenticate } from '../../shared/http/auth/authenticate.ts';
import type { HttpEnv } from '../../shared/http/environment.ts';
import { createAcceptWork } from '../../shared/http/rate-limit.ts';
import { createJsonLog } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { breakerSettings } from './breaker-settings.ts';
import { anybodyMay } from './callers.ts';
import { createFakeCatalog, shippedManifests } from './fake-catalog.ts';
import { snapshotOf } from './fake-fleet.ts';
import { createFakeHost, type FakeHost } from './fake-host.ts';
import { createTestBreakers } from './fleet-breakers.ts';
import { answeringTable } from './rate-stage.ts';
import { createTestGate } from './test-gate.ts';

/** 2026-01-02T03:04:05.678Z */
export const testNow = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** Before loads: lets every one of them through. */
export const noRefusals: Pick<LoadGuard, 'refusal'> = { refusal: () => undefined };

const roomy: Limits = {
  bodyBytes: 10_000,
  textCharacters: 1000,
  batchTexts: 10,
  batchCharacters: 2000,
  alternatives: 3,
};

/** The real inference app over a fake host and catalog, with the lines that it logs. */
export function createTestApp(
  options: {
    host?: FakeHost;
    catalog?: Catalog;
    limits?: Partial<Limits>;
    keepAliveAllowed?: boolean;
    snapshots?: { wake(): void };
    breaker?: Partial<CircuitBreakerSettings>;
    clock?: { now(): number };
    loads?: Pick<LoadGuard, 'refusal'>;
    fallbacks?: Readonly<Record<string, string>>;
    authenticate?: Authenticate;
    /** Of each caller. */
    callerLimits?: CallerLimits;
    gate?: Gate;
    take?: TakeSnapshot;
  } = {},
): { app: InferenceApp; host: FakeHost; lines: string[] } {
  const { host = createFakeHost(), catalog = createFakeCatalog(shippedManifests), limits } = options;
  const {
    keepAliveAllowed = true,
    snapshots = { wake: () => {} },
    clock = { now: () => testNow },
    loads = noRefusals,
  } = options;
  const settings = breakerSettings(options.breaker);
  const { breakers } = createTestBreakers({ now: clock.now });
  const lines: string[] = [];
  const log = createJsonLog((line) => lines.push(line), clock);
  const app = createApp({
    authenticate: options.authenticate ?? anybodyMay('infer', 'read'),
    accept: createAcceptWork({
      limiter: new RateLimits({ table: answeringTable(), clock }),
      defaults: options.callerLimits ?? {},
      trustedProxies: 0,
    }),
    host,
    guards: {
      news: () => undefined,
      gate: options.gate ?? createTestGate({ clock }),
      breakerOf: createModelBreakers(breakers, settings),
      loads,
      fairRunMs: settings.slowCallMs,
    },
    catalog,
    fallbacks: new Map(Object.entries(options.fallbacks ?? {})),
    limits: { ...roomy, ...limits },
    take: options.take ?? (() => snapshotOf()),
    keepAliveAllowed,
    sleepers: [snapshots],
    log,
    clock,
    version: '1.2.3',
  });
  return { app, host, lines };
}

/** POSTs JSON and reads the JSON that comes back. */
export async function postJson(
  app: Hono<HttpEnv>,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const response = await app.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return read(response);
}

/** POSTs an urlencoded form. */
export async function postForm(app: Hono<HttpEnv>, path: string, fields: Record<string, string>) {
  return read(await app.request(path, { method: 'POST', body: new URLSearchParams(fields) }));
}

export async function read(response: Response) {
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}
