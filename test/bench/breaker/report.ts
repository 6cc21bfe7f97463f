import type { Report } from '../benchmark.ts';
import { median, medianRatio } from '../statistics.ts';
import type { Kind, Timed } from './loop.ts';

/** @param rounds what each of them measured */
export function reportOf(rounds: readonly Timed[]): Report {
  const of = (side: 'ours' | 'cockatiel' | 'opossum', kind: Kind) => rounds.map((timed) => timed[side][kind]);
  const against = (side: 'cockatiel' | 'opossum', kind: Kind) => medianRatio(of('ours', kind), of(side, kind));
  const added = (side: 'ours' | 'opossum', kind: 'refused' | 'failed') =>
    rounds.map((timed) => timed[side][kind] - timed.bare.failed);
  const figuresOf = (side: 'ours' | 'cockatiel' | 'opossum') => ({
    [`${side}_admit_ns`]: median(of(side, 'admitted')),
    [`${side}_refuse_ns`]: median(of(side, 'refused')),
    [`${side}_failure_ns`]: median(of(side, 'failed')),
  });
  return {
    figures: {
      ...figuresOf('ours'),
      ...figuresOf('cockatiel'),
      ...figuresOf('opossum'),
      call_alone_ns: median(rounds.map(({ bare }) => bare.admitted)),
      failing_call_alone_ns: median(rounds.map(({ bare }) => bare.failed)),
      admit_decision_ns: median(rounds.map(({ decision }) => decision.admitted)),
      refuse_decision_ns: median(rounds.map(({ decision }) => decision.refused)),
    },
    ratios: {
      admit_vs_cockatiel: against('cockatiel', 'admitted'),
      // Ours is the decision with the error, which a caller throws itself; theirs less a rejection, which tells theirs.
      refuse_vs_opossum: medianRatio(
        rounds.map(({ decision }) => decision.refused),
        added('opossum', 'refused'),
      ),
      // What each adds to a call that fails.
      failure_vs_opossum: medianRatio(added('ours', 'failed'), added('opossum', 'failed')),
      admit_vs_opossum: against('opossum', 'admitted'),
      refuse_by_promise_vs_opossum: against('opossum', 'refused'),
      refuse_by_promise_vs_cockatiel: against('cockatiel', 'refused'),
      failure_with_the_call_vs_opossum: against('opossum', 'failed'),
      failure_with_the_call_vs_cockatiel: against('cockatiel', 'failed'),
    },
  };
}
