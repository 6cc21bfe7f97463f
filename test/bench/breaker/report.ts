import type { Report } from '../benchmark.ts';
import { median, medianRatio } from '../statistics.ts';
import { type Kind, type Side, sides, type Timed } from './timed.ts';

/** @param rounds what each of them measured */
export function reportOf(rounds: readonly Timed[]): Report {
  const of = (kind: Kind, side: Side) => rounds.map(({ through }) => through[kind][side]);
  const against = (kind: Kind, ours: 'ours' | 'local', theirs: Side) => medianRatio(of(kind, ours), of(kind, theirs));
  const added = (kind: 'refused' | 'failed', side: Side) =>
    rounds.map(({ through, bare }) => through[kind][side] - bare.failed);
  const decided = (decision: keyof Timed['decision']) => rounds.map((timed) => timed.decision[decision]);
  // Ours is the decision with the error, which a caller throws itself; theirs less a rejection, which tells theirs.
  const refusedAgainst = (decision: keyof Timed['decision']) =>
    medianRatio(decided(decision), added('refused', 'opossum'));
  const refuse = { byItself: refusedAgainst('refused'), byTheFleet: refusedAgainst('refusedForTheFleet') };
  return {
    figures: {
      ...Object.assign(
        {},
        ...sides.map((side) => ({
          [`${side}_admit_ns`]: median(of('admitted', side)),
          [`${side}_refuse_ns`]: median(of('refused', side)),
          [`${side}_failure_ns`]: median(of('failed', side)),
        })),
      ),
      call_alone_ns: median(rounds.map(({ bare }) => bare.admitted)),
      failing_call_alone_ns: median(rounds.map(({ bare }) => bare.failed)),
      admit_decision_ns: median(decided('admitted')),
      refuse_decision_ns: median(decided('refused')),
      refuse_for_the_fleet_decision_ns: median(decided('refusedForTheFleet')),
      local_admit_decision_ns: median(decided('localAdmitted')),
      local_refuse_decision_ns: median(decided('localRefused')),
      wake_ns: median(rounds.map(({ wake }) => wake)),
    },
    ratios: {
      admit_vs_cockatiel: against('admitted', 'ours', 'cockatiel'),
      refuse_vs_opossum: Math.max(refuse.byItself, refuse.byTheFleet),
      // What each adds to a call that fails.
      failure_vs_opossum: medianRatio(added('failed', 'ours'), added('failed', 'opossum')),
      admit_vs_opossum: against('admitted', 'ours', 'opossum'),
      refuse_alone_vs_opossum: refuse.byItself,
      refuse_for_the_fleet_vs_opossum: refuse.byTheFleet,
      refuse_by_promise_vs_opossum: against('refused', 'ours', 'opossum'),
      refuse_by_promise_vs_cockatiel: against('refused', 'ours', 'cockatiel'),
      failure_with_the_call_vs_opossum: against('failed', 'ours', 'opossum'),
      failure_with_the_call_vs_cockatiel: against('failed', 'ours', 'cockatiel'),
      local_admit_vs_cockatiel: against('admitted', 'local', 'cockatiel'),
      local_refuse_vs_opossum: refusedAgainst('localRefused'),
      local_failure_vs_opossum: medianRatio(added('failed', 'local'), added('failed', 'opossum')),
      admit_vs_local: against('admitted', 'ours', 'local'),
    },
  };
}
