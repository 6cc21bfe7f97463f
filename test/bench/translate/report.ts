import type { Report } from '../benchmark.ts';
import type { ReferenceSentence } from '../sentences.ts';
import { median, medianRatio } from '../statistics.ts';
import type { Overhead } from './overhead.ts';
import { type Round, type Rounds, type SideName, sideNames } from './rounds.ts';

export interface Measured {
  readonly sentences: readonly ReferenceSentence[];
  readonly batches: ReadonlyMap<number, Rounds>;
  /** Ours, every sentence in one call. */
  readonly allAtOnce: readonly Round[];
  readonly overheads: readonly Overhead[];
}

const LABEL: Readonly<Record<SideName, string>> = {
  ours: 'ours',
  web: 'transformersjs_web',
  node: 'transformersjs_node',
  webPublished: 'transformersjs_web_on_our_graphs',
};

const peers = sideNames.filter((side) => side !== 'ours');

export function reportOf({ sentences, batches, allAtOnce, overheads }: Measured): Report {
  const count = sentences.length;
  const figures: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  const addSide = (prefix: string, rounds: readonly Round[]) => {
    const ms = median(wall(rounds)) / count;
    figures[`${prefix}_ms`] = ms;
    figures[`${prefix}_cpu_ms`] = median(rounds.map((round) => round.cpuMs)) / count;
    figures[`${prefix}_per_s`] = 1000 / ms;
    figures[`${prefix}_as_reference`] = equal(
      rounds,
      sentences.map(({ reference }) => reference),
    );
  };
  for (const [batch, rounds] of batches) {
    for (const side of sideNames) addSide(`batch${batch}_${LABEL[side]}`, rounds[side]);
    figures[`batch${batch}_ours_as_transformersjs_web`] = equal(rounds.ours, rounds.web[0]?.translations ?? []);
    for (const peer of peers) {
      ratios[`batch${batch}_vs_${LABEL[peer]}`] = medianRatio(wall(rounds.ours), wall(rounds[peer]));
    }
  }
  addSide('all_at_once_ours', allAtOnce);
  const largest = [...batches].at(-1);
  if (largest !== undefined) {
    const [batch, rounds] = largest;
    for (const peer of peers) {
      const key = `batch${batch}_all_at_once_vs_${LABEL[peer]}`;
      ratios[key] = medianRatio(wall(allAtOnce), wall(rounds[peer]));
    }
  }
  const of = (key: keyof Overhead) => median(overheads.map((overhead) => overhead[key]));
  figures['request_through_app_ms'] = of('appMs');
  figures['bare_pipeline_ms'] = of('bareMs');
  figures['thread_hop_ms'] = of('hopMs');
  figures['around_the_model_ms'] = of('overheadMs');
  ratios['overhead_batch1'] = median(overheads.map(({ overheadMs, bareMs }) => overheadMs / bareMs));
  ratios['thread_hop_batch1'] = median(overheads.map(({ hopMs, bareMs }) => hopMs / bareMs));
  return { figures, ratios };
}

function wall(rounds: readonly Round[]): number[] {
  return rounds.map(({ ms }) => ms);
}

/** How many of the first round's translations are those. */
function equal(rounds: readonly Round[], translations: readonly string[]): number {
  return (rounds[0]?.translations ?? []).filter((text, index) => text === translations[index]).length;
}
