import * as z from 'zod/mini';
import { modelKey } from '../../repository/manifest.ts';
import type { SnapshotsRead } from '../instance-snapshot.ts';

/** From one of the fleet's memory snapshots to the next. */
export const SLOT_MS = 5 * 60_000;
/** Instances that are written one by one, the largest first. */
const MOST_INSTANCES = 100;

const mb = z.number();
const model = z.object({ model: z.string(), memory_mb: mb });

/** What is written of the fleet's memory, in MB (2^20 bytes); what cannot be read counts as 0. */
export const fleetMemorySchema = z.object({
  /** The beginning of its five minutes. */
  at: z.iso.datetime(),
  taken_at: z.iso.datetime(),
  /** Live ones. */
  instance_count: z.number(),
  /** Items of another version of this project. */
  unreadable: z.number(),
  rss_mb: mb,
  reserved_mb: mb,
  budget_mb: mb,
  limit_mb: mb,
  /** Over all instances, by name. */
  models: z.array(z.object({ model: z.string(), memory_mb: mb, ready: z.number() })),
  instances: z.array(
    z.object({
      id: z.string(),
      seen_at: z.iso.datetime(),
      rss_mb: mb,
      reserved_mb: mb,
      budget_mb: mb,
      limit_mb: mb,
      models: z.array(model),
    }),
  ),
});

export type FleetMemory = z.infer<typeof fleetMemorySchema>;

/** The beginning of the five minutes that this moment is in. Ms since the epoch. */
export function slotOf(now: number): number {
  return Math.floor(now / SLOT_MS) * SLOT_MS;
}

/** Where the snapshot of a slot lies in the bucket; in the order of time. */
export function memoryKey(slot: number): string {
  const [date = '', time = ''] = new Date(slot).toISOString().split('T');
  return `${MEMORY_PREFIX}${date.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}.json`;
}

export const MEMORY_PREFIX = 'metrics/memory_';

/** The sums over live instances. @param now wall clock, ms since the epoch */
export function sumUpMemory({ snapshots, unreadable }: SnapshotsRead, now: number): FleetMemory {
  const instances = snapshots.map(({ id, at, report: { memory, models } }) => ({
    id,
    seen_at: new Date(at).toISOString(),
    rss_mb: Math.round(memory.rssMb ?? 0),
    reserved_mb: Math.round(memory.reservedMb),
    budget_mb: Math.round(memory.budgetMb ?? 0),
    limit_mb: Math.round(memory.limitMb ?? 0),
    models: models
      .filter(({ memoryMb }) => memoryMb > 0)
      .map((held) => ({ model: modelKey(held), memory_mb: Math.round(held.memoryMb) })),
  }));
  const sum = (mbOf: (instance: (typeof instances)[number]) => number) =>
    instances.reduce((total, instance) => total + mbOf(instance), 0);
  return {
    at: new Date(slotOf(now)).toISOString(),
    taken_at: new Date(now).toISOString(),
    instance_count: instances.length,
    unreadable,
    rss_mb: sum(({ rss_mb }) => rss_mb),
    reserved_mb: sum(({ reserved_mb }) => reserved_mb),
    budget_mb: sum(({ budget_mb }) => budget_mb),
    limit_mb: sum(({ limit_mb }) => limit_mb),
    models: sumUpModels(snapshots),
    instances: instances.toSorted((a, b) => b.rss_mb - a.rss_mb).slice(0, MOST_INSTANCES),
  };
}

function sumUpModels(snapshots: SnapshotsRead['snapshots']): FleetMemory['models'] {
  const sums = new Map<string, { memory_mb: number; ready: number }>();
  for (const held of snapshots.flatMap(({ report }) => report.models)) {
    if (held.memoryMb === 0) continue;
    const key = modelKey(held);
    const { memory_mb, ready } = sums.get(key) ?? { memory_mb: 0, ready: 0 };
    sums.set(key, {
      memory_mb: memory_mb + Math.round(held.memoryMb),
      ready: ready + (held.state === 'READY' ? 1 : 0),
    });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sum]) => ({ model: name, ...sum }));
}
