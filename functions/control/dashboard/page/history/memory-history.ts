import type { HealthDocument, MemorySnapshotsDocument, RecordedMemory } from '../read/documents.ts';
import type { ChartData, Series } from './chart-data.ts';

/** The memory of all instances at one moment. */
export interface MemorySample {
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  /** All together, those included that are not told of one by one. */
  readonly fleet: InstanceMemory;
  readonly instances: ReadonlyMap<string, InstanceMemory>;
}

export interface InstanceMemory {
  /** Of the whole process; undefined where it cannot be read. */
  readonly usedMb: number | undefined;
  /** What models may have of it together. */
  readonly budgetMb: number | undefined;
  /** By `id@version`. */
  readonly models: ReadonlyMap<string, number>;
}

/** Layers that can still be told apart; the smallest of more become one. */
const MOST_LAYERS = 7;
const OTHERS = 'other models';

/** Of this moment. */
export function memorySampleOf({ instances }: HealthDocument, at: number): MemorySample {
  const each = new Map(
    instances.map(({ id, memory, models }) => [
      id,
      {
        usedMb: memory.used_mb ?? undefined,
        budgetMb: memory.budget_mb ?? undefined,
        models: summedUp(models.map(({ name, version, memory_mb: mb }) => [`${name}@${version}`, mb ?? 0])),
      },
    ]),
  );
  return { at, fleet: sumOf([...each.values()]), instances: each };
}

/** Of what the monitor wrote down every five minutes. */
export function memorySamplesOf({ snapshots }: MemorySnapshotsDocument): readonly MemorySample[] {
  return snapshots.map((snapshot) => ({
    at: Date.parse(snapshot.taken_at),
    fleet: recorded(snapshot),
    instances: new Map(snapshot.instances.map((instance) => [instance.id, recorded(instance)])),
  }));
}

/** There, 0 is what could not be read. */
function recorded({ rss_mb: used, budget_mb: budget, models }: RecordedMemory): InstanceMemory {
  return {
    usedMb: used > 0 ? used : undefined,
    budgetMb: budget > 0 ? budget : undefined,
    models: summedUp(models.map(({ model, memory_mb: mb }) => [model, mb])),
  };
}

/** @param instance its id; undefined: the sum over all @param since wall clock ms */
export function memoryChart(samples: readonly MemorySample[], instance: string | undefined, since: number): ChartData {
  const shown = samples.filter(({ at }) => at >= since);
  const sums = shown.map(({ fleet, instances }) =>
    instance === undefined ? fleet : (instances.get(instance) ?? nothing),
  );
  const [names, others] = layerNames(sums);
  const layer = (name: string, value: (models: ReadonlyMap<string, number>) => number): Series => ({
    name,
    values: sums.map(({ models }) => value(models)),
  });
  return {
    times: shown.map(({ at }) => at / 1_000),
    layers: [
      ...names.map((name) => layer(name, (models) => models.get(name) ?? 0)),
      ...(others.length === 0
        ? []
        : [layer(OTHERS, (models) => others.reduce((sum, name) => sum + (models.get(name) ?? 0), 0))]),
    ],
    lines: [
      { name: 'budget for models', values: sums.map(({ budgetMb }) => budgetMb ?? null) },
      { name: 'whole process', values: sums.map(({ usedMb }) => usedMb ?? null) },
    ],
  };
}

const nothing: InstanceMemory = { usedMb: undefined, budgetMb: undefined, models: new Map() };

function sumOf(instances: readonly InstanceMemory[]): InstanceMemory {
  return {
    usedMb: sumOfKnown(instances.map(({ usedMb }) => usedMb)),
    budgetMb: sumOfKnown(instances.map(({ budgetMb }) => budgetMb)),
    models: summedUp(instances.flatMap(({ models }) => [...models])),
  };
}

/** Undefined where nobody knows. */
function sumOfKnown(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, number) => sum + number, 0);
}

function summedUp(entries: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [name, mb] of entries) sums.set(name, (sums.get(name) ?? 0) + mb);
  return sums;
}

/**
 * The largest models by name, so that a layer keeps its place, and the others; those that never had any memory are neither.
 */
function layerNames(sums: readonly InstanceMemory[]): readonly [names: readonly string[], others: readonly string[]] {
  const most = new Map<string, number>();
  for (const { models } of sums) {
    for (const [name, mb] of models) most.set(name, Math.max(mb, most.get(name) ?? 0));
  }
  const held = [...most].filter(([, mb]) => mb > 0).sort(([, a], [, b]) => b - a);
  const names = held.map(([name]) => name);
  return [names.slice(0, MOST_LAYERS).sort(), names.slice(MOST_LAYERS)];
}
