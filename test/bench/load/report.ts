import type { Report } from '../benchmark.ts';
import { median, medianRatio } from '../statistics.ts';
import type { Measured } from './measured.ts';

/** Key of the model that is so small that what its load takes is the engine's, V8's and the SDK's. */
export const ENGINE_ALONE = 'language-detection';

/** The ways to load one model, each in a fresh process, in turns. */
export interface LoadRound {
  readonly ours: Measured;
  readonly download: Measured;
  readonly create: Measured;
  readonly naive: Measured;
  /** Where the model's weights lie outside of its graphs. */
  readonly external?: Measured;
}

/** The rounds of one model over one connection. */
export interface LoadRounds {
  /** What its keys end in, e.g. `200` or `200_loopback`. */
  readonly key: string;
  /** Undefined for models so small that what they take is the engine's. */
  readonly weightsMb: number | undefined;
  /** Whether S3 was as far away as it is in earnest. */
  readonly isLimited: boolean;
  readonly rounds: readonly LoadRound[];
}

export function reportOf(measured: readonly LoadRounds[]): Report {
  const figures: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const { key, weightsMb, rounds } of measured) {
    const each = (value: (round: LoadRound) => number) => rounds.map(value);
    const floor = each(({ download, create }) => Math.max(download.readyMs, create.readyMs));
    const tell = (way: 'ours' | 'naive' | 'external', prefix: string) => {
      const ways = rounds.flatMap((round) => round[way] ?? []);
      if (ways.length === 0) return;
      ratios[`${prefix}ready_vs_floor_${key}`] = medianRatio(
        ways.map(({ readyMs }) => readyMs),
        floor,
      );
      if (weightsMb !== undefined) {
        ratios[`${prefix}peak_rss_vs_weights_${key}`] = median(ways.map(peakOf)) / weightsMb;
        ratios[`${prefix}resident_vs_weights_${key}`] =
          median(ways.map(({ readyMb, baselineMb }) => readyMb - baselineMb)) / weightsMb;
      }
      figures[`${way}_ready_${key}_ms`] = median(ways.map(({ readyMs }) => readyMs));
      figures[`${way}_downloaded_${key}_ms`] = median(ways.map(({ downloadedMs }) => downloadedMs));
      figures[`${way}_cpu_${key}_ms`] = median(ways.map(({ cpuMs }) => cpuMs));
      figures[`${way}_peak_${key}_mb`] = median(ways.map(peakOf));
      figures[`${way}_loop_delay_p99_${key}_ms`] = median(ways.map(({ loopDelayP99Ms }) => loopDelayP99Ms));
      figures[`${way}_loop_delay_max_${key}_ms`] = median(ways.map(({ loopDelayMaxMs }) => loopDelayMaxMs));
    };
    tell('ours', '');
    ratios[`after_download_vs_download_${key}`] = median(
      each(({ ours }) => (ours.readyMs - ours.downloadedMs) / ours.downloadedMs),
    );
    tell('naive', 'naive_');
    tell('external', 'external_');
    figures[`download_${key}_ms`] = median(each(({ download }) => download.readyMs));
    figures[`create_${key}_ms`] = median(each(({ create }) => create.readyMs));
  }
  const [alone] = measured.filter(({ key }) => key === ENGINE_ALONE);
  if (alone !== undefined) figures['engine_alone_mb'] = median(alone.rounds.map(({ ours }) => peakOf(ours)));
  const worstDelay = (isLimited: boolean) =>
    Math.max(
      ...measured
        .filter((each) => each.isLimited === isLimited)
        .flatMap(({ rounds }) => rounds.map(({ ours }) => ours.loopDelayP99Ms)),
    );
  return {
    figures: {
      loop_delay_p99_ms: worstDelay(true),
      loop_delay_p99_loopback_ms: worstDelay(false),
      ...figures,
    },
    ratios,
  };
}

/** MB above the baseline. */
function peakOf({ peakMb, baselineMb }: Measured): number {
  return peakMb - baselineMb;
}
