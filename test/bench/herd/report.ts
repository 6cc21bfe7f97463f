import type { Report } from '../benchmark.ts';
import { median, medianRatio, quantile } from '../statistics.ts';
import type { Crowd } from './crowd.ts';

/** One round over the same models. Each is a fresh process with an empty cache. */
export interface Herd {
  /** One request for each model, all at once. */
  readonly alone: Crowd;
  readonly crowd: Crowd;
  /** As many as can load for themselves on one machine, through the host. */
  readonly small: Crowd;
  /** The same without the host: each loads for itself. */
  readonly unhardened: Crowd;
}

/** @param herdsBySuffix the rounds of each set of models, by what their keys end in */
export function reportOf(herdsBySuffix: ReadonlyMap<string, readonly Herd[]>): Report {
  const figures: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const [suffix, herds] of herdsBySuffix) {
    const part = partOf(herds);
    for (const [key, value] of Object.entries(part.figures)) figures[key + suffix] = value;
    for (const [key, value] of Object.entries(part.ratios)) ratios[key + suffix] = value;
  }
  return { figures, ratios };
}

function partOf(herds: readonly Herd[]): Report {
  const sides = {
    alone: herds.map(({ alone }) => alone),
    crowd: herds.map(({ crowd }) => crowd),
    small: herds.map(({ small }) => small),
    unhardened: herds.map(({ unhardened }) => unhardened),
  };
  const waited = (crowds: readonly Crowd[], share: number) => crowds.map((crowd) => quantile(crowd.waitedMs, share));
  const figuresOf = (prefix: string, crowds: readonly Crowd[]) => ({
    [`${prefix}_requests`]: median(crowds.map(({ waitedMs }) => waitedMs.length)),
    [`${prefix}_loads`]: median(crowds.map(({ loads }) => loads)),
    [`${prefix}_p50_ms`]: median(waited(crowds, 0.5)),
    [`${prefix}_p99_ms`]: median(waited(crowds, 0.99)),
    [`${prefix}_peak_rss_mb`]: median(crowds.map(({ peakRssMb }) => peakRssMb)),
  });
  const peaks = (crowds: readonly Crowd[]) => crowds.map(({ peakRssMb }) => peakRssMb);
  return {
    figures: {
      ...figuresOf('alone', sides.alone),
      ...figuresOf('crowd', sides.crowd),
      ...figuresOf('small_crowd', sides.small),
      ...figuresOf('unhardened_crowd', sides.unhardened),
    },
    ratios: {
      // The most of any round: once too often is too often.
      loads_per_model: Math.max(...herds.map(({ alone, crowd }) => crowd.loads / alone.waitedMs.length)),
      p50_vs_single: medianRatio(waited(sides.crowd, 0.5), waited(sides.alone, 0.5)),
      p99_vs_single: medianRatio(waited(sides.crowd, 0.99), waited(sides.alone, 0.99)),
      unhardened_p50_vs_ours: medianRatio(waited(sides.unhardened, 0.5), waited(sides.small, 0.5)),
      unhardened_p99_vs_ours: medianRatio(waited(sides.unhardened, 0.99), waited(sides.small, 0.99)),
      unhardened_peak_rss_vs_ours: medianRatio(peaks(sides.unhardened), peaks(sides.small)),
    },
  };
}
