import type { Report } from '../benchmark.ts';
import type { Outcome, Trouble } from './trouble.ts';

export interface Played {
  readonly trouble: Trouble;
  readonly outcome: Outcome;
}

/** Keys, without the number of instances, by what they tell of an outcome. */
const keys = {
  open_seconds: ({ openSeconds }) => openSeconds,
  trip_seconds: ({ tripSeconds }) => tripSeconds,
  failed_calls_per_instance: ({ failedCalls }, { instances }) => failedCalls / instances,
  writes_per_second: ({ writesPerSecond }) => writesPerSecond,
  writes_in_all: ({ writes }) => Object.values(writes).reduce((sum, count) => sum + count, 0),
  healthy_writes: ({ healthyWrites }) => healthyWrites,
  reads_per_second: ({ readsPerSecond }) => readsPerSecond,
  healthy_reads_per_second: ({ healthyReadsPerSecond }) => healthyReadsPerSecond,
  probes_per_open: ({ probesPerOpen }) => probesPerOpen,
  takeovers: ({ takeovers }) => takeovers,
  open_periods: ({ openings }) => openings,
  served_again_seconds: ({ servedSeconds }) => servedSeconds,
  closed_seconds: ({ closedSeconds }) => closedSeconds,
  digest_bytes: ({ digestBytes }) => digestBytes,
} satisfies Readonly<Record<string, (outcome: Outcome, trouble: Trouble) => number>>;

/** Told of each network besides. */
const ofEachNetwork: readonly (keyof typeof keys)[] = ['open_seconds', 'writes_per_second', 'probes_per_open'];

/** Of all histories of a size the worst in each key. */
export function reportOf(all: readonly Played[]): Report {
  const figures: Record<string, number> = {};
  const tell = (key: keyof typeof keys, suffix: string, histories: readonly Played[]) => {
    figures[`${key}_${suffix}`] = Math.max(...histories.map(({ outcome, trouble }) => keys[key](outcome, trouble)));
  };
  for (const size of new Set(all.map(({ trouble }) => trouble.instances))) {
    const histories = all.filter(({ trouble }) => trouble.instances === size);
    for (const key of Object.keys(keys) as (keyof typeof keys)[]) tell(key, String(size), histories);
    for (const network of new Set(histories.map(({ trouble }) => trouble.network))) {
      const carried = histories.filter(({ trouble }) => trouble.network === network);
      for (const key of ofEachNetwork) tell(key, `${size}_${network}`, carried);
    }
  }
  return { figures, ratios: {} };
}
