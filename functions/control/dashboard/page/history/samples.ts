interface Sample {
  /** Wall clock, ms since the epoch. */
  readonly at: number;
}

/** For so long everything is kept, */
const FINE_MS = 15 * 60_000;
/** after that, one of each of these, */
const COARSE_MS = 60_000;
/** and after that nothing. */
export const KEPT_MS = 6 * 3_600_000;

/** The samples with one more, the newest last; one that is older than the last has come late and is left out. */
export function withSample<One extends Sample>(samples: readonly One[], sample: One): readonly One[] {
  const last = samples.at(-1);
  if (last !== undefined && sample.at <= last.at) return samples;
  return thinned([...samples, sample], sample.at);
}

/** Samples of before the page was opened, and its own; of the same time those of its own count. */
export function joined<One extends Sample>(former: readonly One[], own: readonly One[]): readonly One[] {
  const from = own[0]?.at ?? Number.POSITIVE_INFINITY;
  const before = former.filter(({ at }) => at < from).toSorted((a, b) => a.at - b.at);
  const all = [...before, ...own];
  return thinned(all, all.at(-1)?.at ?? 0);
}

function thinned<One extends Sample>(samples: readonly One[], now: number): readonly One[] {
  const kept: One[] = [];
  let slot = Number.NEGATIVE_INFINITY;
  for (const sample of samples) {
    const age = now - sample.at;
    if (age > KEPT_MS) continue;
    const own = Math.floor(sample.at / COARSE_MS);
    if (age > FINE_MS && own === slot) continue;
    slot = own;
    kept.push(sample);
  }
  return kept;
}
