import type {
  AdminModel,
  BreakerDocument,
  HealthDocument,
  InstanceDocument,
  SharedBreaker,
} from '../../functions/control/dashboard/page/read/documents.ts';

/** Documents as the dashboard reads them, with what a test changes. Times are those of `documentsNow`. */

export const documentsNow = Date.parse('2026-01-02T03:04:05.000Z');

export function secondsAgo(seconds: number): string {
  return new Date(documentsNow - seconds * 1_000).toISOString();
}

export function healthWith(changes: Partial<HealthDocument> = {}): HealthDocument {
  return {
    status: 'healthy',
    timestamp: secondsAgo(0),
    uptime: 3_600,
    models: [],
    model_queue: { size: 0, currently_loading: [] },
    system: { memory_total: '4.0 GB', memory_used: '1.0 GB', memory_percent: 25, cpu_usage: 10 },
    breakers: [],
    admission: null,
    loads: [],
    events: [],
    instance_count: changes.instances?.length ?? 0,
    instances: [],
    reasons: [],
    ...changes,
  };
}

export function modelWith(name: string, status: string, states: Readonly<Record<string, number>> = { [status]: 1 }) {
  return {
    name,
    status,
    loading_progress: status === 'READY' ? 1 : 0.4,
    ready: status === 'READY',
    version: '1.0.0',
    states,
  };
}

export function instanceWith(changes: Partial<InstanceDocument> = {}): InstanceDocument {
  return {
    id: 'a',
    stale: false,
    seen_at: secondsAgo(3),
    started_at: secondsAgo(3_600),
    uptime: 3_600,
    initialization: 'on-demand',
    version: '1.2.3',
    cpu_usage: 10,
    memory: { limit_mb: 4_096, budget_mb: 3_000, used_mb: 500, reserved_mb: 200 },
    model_queue: { size: 0, limit: 8 },
    models: [],
    breakers: [],
    traffic: null,
    ...changes,
  };
}

export function adminModelWith(id: string, changes: Partial<AdminModel> = {}): AdminModel {
  return {
    id,
    task: 'translation',
    active: { version: '1.0.0', seq: 3, previous: null },
    versions: ['1.0.0'],
    version_pin: null,
    always_loaded: false,
    preload: false,
    status: 'READY',
    loading_progress: 1,
    states: { READY: 1 },
    memory_mb: 200,
    wish: null,
    ...changes,
  };
}

export function breakerWith(name: string, fleet: Partial<SharedBreaker> | null, states = {}): BreakerDocument {
  const closed = { state: 'CLOSED', since: null, next_probe_at: null, probe: null, forced: null, openings: 0 };
  return { name, states, fleet: fleet === null ? null : { ...closed, ...fleet } };
}
