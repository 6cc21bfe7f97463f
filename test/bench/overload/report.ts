import type { AdmissionReport } from '../../../shared/admission/admission-report.ts';
import type { Report } from '../benchmark.ts';
import { median } from '../statistics.ts';
import type { Load } from './loads.ts';
import type { Level } from './outcome.ts';

/** One load on the service. */
export interface Measured extends Load {
  /** Of the capacity. */
  readonly times: number;
  readonly gate: 'on' | 'off';
  /** Of one core, which the service took with all its threads. */
  readonly serviceCpu: number;
  /** As the gate has it when the load ends. */
  readonly admission: AdmissionReport;
}

/** @param capacityPerSecond answers of the saturated service */
export function reportOf(capacityPerSecond: number, measured: readonly Measured[]): Report {
  const figures: Record<string, number> = { capacity_per_s: capacityPerSecond };
  for (const { times, gate, level, generatorCpu, serviceCpu } of measured) {
    const suffix = `${times}x${gate === 'on' ? '' : '_gate_off'}`;
    Object.assign(figures, figuresOf(suffix, level));
    figures[`generator_cpu_${suffix}`] = generatorCpu;
    figures[`service_cpu_${suffix}`] = serviceCpu;
  }
  const on = measured.filter(({ gate }) => gate === 'on');
  const off = measured.filter(({ gate }) => gate === 'off');
  return {
    figures,
    ratios: {
      ...ratiosOf('', levelsOf(on)),
      ...ratiosOf('_gate_off', levelsOf(off)),
      estimate_error: on.at(-1)?.admission.estimateError ?? Number.NaN,
      wrong_refusals: on.reduce((all, { level }) => all + level.withoutRetryAfter + level.otherFailures, 0),
    },
  };
}

/** @param levels by the times of the capacity */
export function fleetReportOf(capacityPerSecond: number, levels: ReadonlyMap<number, Level>): Report {
  const figures: Record<string, number> = { capacity_per_s: capacityPerSecond };
  for (const [times, level] of levels) {
    Object.assign(figures, figuresOf(`${times}x`, level));
    figures[`without_retry_after_${times}x`] = level.withoutRetryAfter;
    figures[`other_failures_${times}x`] = level.otherFailures;
  }
  return { figures, ratios: ratiosOf('', levels) };
}

/** Of several rounds: each value's median. */
export function medianReport(reports: readonly Report[]): Report {
  const medians = (part: keyof Report) => {
    const keys = Object.keys(reports[0]?.[part] ?? {});
    return Object.fromEntries(
      keys.map((key) => [key, median(reports.map((report) => report[part][key] ?? Number.NaN))]),
    );
  };
  return { figures: medians('figures'), ratios: medians('ratios') };
}

function levelsOf(measured: readonly Measured[]): ReadonlyMap<number, Level> {
  return new Map(measured.map(({ times, level }) => [times, level]));
}

function ratiosOf(suffix: string, levels: ReadonlyMap<number, Level>): Record<string, number> {
  const [one, ten] = [levelAt(levels, 1), levelAt(levels, 10)];
  const peak = Math.max(...Array.from(levels.values(), ({ goodputPerSecond }) => goodputPerSecond));
  return {
    [`goodput_10x${suffix}`]: ten.goodputPerSecond / peak,
    [`deadline_misses_10x${suffix}`]: ten.missed / Math.max(1, ten.admitted),
    [`p99_10x_vs_1x${suffix}`]: ten.p99Ms / one.p99Ms,
  };
}

function levelAt(levels: ReadonlyMap<number, Level>, times: number): Level {
  const found = levels.get(times);
  if (found === undefined) throw new Error(`nothing was measured at ${times} times the capacity`);
  return found;
}

function figuresOf(suffix: string, level: Level): Record<string, number> {
  const total = Math.max(1, level.admitted + level.refused + level.otherFailures);
  return {
    [`offered_per_s_${suffix}`]: level.offeredPerSecond,
    [`goodput_per_s_${suffix}`]: level.goodputPerSecond,
    [`missed_share_${suffix}`]: level.missed / Math.max(1, level.admitted),
    [`p50_ms_${suffix}`]: level.p50Ms,
    [`p99_ms_${suffix}`]: level.p99Ms,
    [`refused_share_${suffix}`]: level.refused / total,
    [`refused_p99_ms_${suffix}`]: level.refusedP99Ms,
    [`health_p50_ms_${suffix}`]: level.healthP50Ms,
    [`health_p99_ms_${suffix}`]: level.healthP99Ms,
    [`generator_late_p99_ms_${suffix}`]: level.lateP99Ms,
  };
}
