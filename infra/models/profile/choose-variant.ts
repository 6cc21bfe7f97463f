import type { TrialReply } from './trial.ts';

/** How the int8 products of a model are computed: as they are, or with weights that were dequantised beforehand. */
export type Compute = 'as imported' | 'float projection' | 'float32';

/** How the engine and V8 are told to work. */
export interface Variant {
  readonly compute: Compute;
  readonly prepacking: boolean;
  readonly threads: number;
  /** Flags of V8 beside its own choice; they are measured, and belong to a process, not to a model. */
  readonly tiers: 'default' | 'baseline only' | 'optimised only';
}

/** What was measured of a variant: the median of its trials. */
export interface MeasuredVariant extends Variant, Omit<TrialReply, 'speed'> {
  readonly speed: NonNullable<TrialReply['speed']>;
}

/** A variant that is slower by less than this is as fast; the one of these that needs the least memory is taken. */
const AS_FAST = 0.95;

/**
 * The fastest variant, and of those that are as fast the one that needs the least memory. Speed is the geometric mean of single
 * texts and of 32 together. What needs more memory than there is does not count, unless all do.
 * @param maxPeakMb what a load may need
 */
export function chooseVariant<Measured extends MeasuredVariant>(
  measured: readonly [Measured, ...Measured[]],
  maxPeakMb = Number.POSITIVE_INFINITY,
): Measured {
  const fitting = measured.filter(({ memory }) => memory.peakMb <= maxPeakMb);
  const candidates = fitting.length > 0 ? fitting : measured;
  const fastest = Math.max(...candidates.map(speedOf));
  const asFast = candidates.filter((variant) => speedOf(variant) >= AS_FAST * fastest);
  return asFast.reduce((best, variant) => (variant.memory.peakMb < best.memory.peakMb ? variant : best));
}

function speedOf({ speed }: MeasuredVariant): number {
  return Math.sqrt(speed.batch1 * speed.batch32);
}

/** Each figure's median. */
export function medianOf(variant: Variant, trials: readonly TrialReply[]): MeasuredVariant {
  const median = (figure: (trial: TrialReply) => number) => {
    const sorted = trials.map(figure).sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  };
  return {
    ...variant,
    memory: {
      peakMb: median(({ memory }) => memory.peakMb),
      residentMb: median(({ memory }) => memory.residentMb),
    },
    load: {
      downloadedMs: median(({ load }) => load.downloadedMs),
      warmingMs: median(({ load }) => load.warmingMs),
      readyMs: median(({ load }) => load.readyMs),
    },
    speed: {
      unit: trials[0]?.speed?.unit ?? 'texts',
      batch1: median(({ speed }) => speed?.batch1 ?? 0),
      batch32: median(({ speed }) => speed?.batch32 ?? 0),
    },
  };
}
