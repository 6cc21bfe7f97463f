import type { InstanceDocument } from '../read/documents.ts';
import type { Badge } from './badge.ts';
import { age, amount, counted, duration, megabytes } from './words.ts';

export interface InstanceRow {
  readonly id: string;
  readonly state: Badge;
  /** How long ago it told of itself. */
  readonly heard: string;
  readonly uptime: string;
  readonly origin: string;
  readonly cpu: string;
  /** What is used of what there is, in MB; undefined where it cannot be read. */
  readonly memory: { readonly used: number; readonly limit: number } | undefined;
  readonly memoryInWords: string;
  readonly models: string;
  readonly traffic: string;
}

/** In the order in which they were started, so that a row stays where it is. @param now the service's wall clock, ms */
export function instanceRows(instances: readonly InstanceDocument[], now: number): readonly InstanceRow[] {
  return instances
    .toSorted((a, b) => (a.started_at === b.started_at ? (a.id < b.id ? -1 : 1) : a.started_at < b.started_at ? -1 : 1))
    .map((instance) => rowOf(instance, now));
}

function rowOf(instance: InstanceDocument, now: number): InstanceRow {
  const { limit_mb: limit, used_mb: used } = instance.memory;
  const silentMs = now - Date.parse(instance.seen_at);
  return {
    id: instance.id,
    state: instance.stale
      ? { word: 'STALE', tone: 'warn' }
      : { word: instance.models.some(({ state }) => state === 'READY') ? 'LIVE' : 'LIVE, no model', tone: 'good' },
    heard: instance.stale ? `silent for ${age(silentMs)}: idle, or gone` : `${age(silentMs)} ago`,
    uptime: duration(now - Date.parse(instance.started_at)),
    origin: `${instance.initialization}, ${instance.version}`,
    cpu: instance.stale ? 'idle' : `${amount(instance.cpu_usage)} %`,
    memory: limit === null || used === null ? undefined : { used, limit },
    memoryInWords: memoryInWords(instance),
    models: modelsInWords(instance),
    traffic: trafficInWords(instance),
  };
}

function memoryInWords({ memory }: InstanceDocument): string {
  const { limit_mb: limit, used_mb: used, reserved_mb: reserved, budget_mb: budget } = memory;
  if (limit === null || used === null) return 'cannot be read';
  const models = `models ${megabytes(reserved ?? 0)}${budget === null ? '' : ` of ${megabytes(budget)}`}`;
  return `${megabytes(used)} of ${megabytes(limit)}, ${models}`;
}

function modelsInWords({ models, model_queue: queue }: InstanceDocument): string {
  const held = models.filter(({ state }) => state !== 'UNLOADED');
  const queued = queue.size === 0 ? [] : [`${queue.size} in the queue`];
  const words = [...held.map(({ name, version, state }) => `${name}@${version} ${state}`), ...queued];
  return words.length === 0 ? 'none' : words.join(', ');
}

function trafficInWords({ traffic }: InstanceDocument): string {
  if (traffic === null) return 'not told';
  const { requests, failures, shed } = traffic;
  const faults = [
    ...(failures === 0 ? [] : [counted(failures, 'failure', 'failures')]),
    ...(shed === 0 ? [] : [`${shed} refused`]),
  ];
  return [counted(requests, 'request', 'requests'), ...faults].join(', ');
}
