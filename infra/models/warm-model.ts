import type { SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import type { FleetTable } from '../../shared/fleet/table/fleet-table.ts';
import { changeWish } from '../../shared/fleet/wishes/wish-writer.ts';
import type { ModelState } from '../../shared/host/model-state.ts';
import type { Clock } from '../../shared/repository/clock.ts';
import { NotLoadedInTimeError } from './errors.ts';

export interface WarmDeps {
  readonly table: FleetTable;
  /** The live instances, as they tell of themselves. */
  readonly instances: () => Promise<readonly SeenInstance[]>;
  /** Has an instance look at what is wanted, if none does by itself; whether it could be told. Does not reject. */
  readonly wake: () => Promise<boolean>;
  readonly clock: Clock;
}

export interface WarmRequest {
  readonly model: string;
  /** The version that is active, which is to be loaded. */
  readonly version: string;
  readonly by: string;
  readonly request: string;
  readonly timeoutMs: number;
  /** Wall clock, ms since the epoch: until then the wish stands; undefined: until the next one. */
  readonly until?: number | undefined;
}

/** How far the fleet is. */
export interface WarmProgress {
  /** Live instances, those that sleep included. */
  readonly instances: number;
  /** Of those, in which the version is READY. */
  readonly ready: number;
  /** In how many instances the version is in which state. */
  readonly states: Readonly<Partial<Record<ModelState, number>>>;
  /** Of the furthest load, 0 to 1. */
  readonly progress: number;
}

export interface WarmResult extends WarmProgress {
  /** Of the wish. */
  readonly seq: number;
  readonly woken: boolean;
}

const POLL_MS = 500;
/** An event wakes one instance, and one that was frozen in the middle goes on with the next. */
const WAKE_EVERY_MS = 5_000;

/**
 * Wishes that a model be loaded on all instances, and waits until each that is awake has it READY. A pin stays a pin.
 * @throws NotLoadedInTimeError, with why instances failed; what `changeWish` throws
 */
export async function warmModel(
  { table, instances, wake, clock }: WarmDeps,
  { model, version, by, request, timeoutMs, until }: WarmRequest,
  onProgress: (progress: WarmProgress) => void = () => undefined,
): Promise<WarmResult> {
  const end = clock.now() + timeoutMs;
  const { record } = await changeWish({ table, clock }, { model, by, request }, (standing) => {
    const isPinned = standing?.want === 'pinned' && (standing.until ?? Number.POSITIVE_INFINITY) > clock.now();
    return isPinned ? { want: standing.want, until: standing.until } : { want: 'loaded', until };
  });
  let woken = false;
  let wokenAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    if (clock.now() - wokenAt >= WAKE_EVERY_MS) {
      wokenAt = clock.now();
      woken = (await wake()) || woken;
    }
    const seen = await instances();
    const progress = progressOf(seen, model, version);
    onProgress(progress);
    // A stale instance sleeps: it hears of the wish when it wakes.
    const awake = seen.filter(({ stale }) => !stale);
    const isDone = ({ snapshot }: SeenInstance) =>
      (snapshot.wishes.get(model) ?? 0) >= record.seq && stateIn(snapshot, model, version)?.state === 'READY';
    if (awake.length > 0 && awake.every(isDone)) return { ...progress, seq: record.seq, woken };
    if (clock.now() >= end) throw notInTime(seen, model, version, progress);
    await clock.sleep(POLL_MS);
  }
}

function progressOf(seen: readonly SeenInstance[], model: string, version: string): WarmProgress {
  const held = seen.flatMap(({ snapshot }) => stateIn(snapshot, model, version) ?? []);
  const states: Partial<Record<ModelState, number>> = {};
  for (const { state } of held) states[state] = (states[state] ?? 0) + 1;
  return {
    instances: seen.length,
    ready: states.READY ?? 0,
    states,
    progress: held.reduce((furthest, { progress }) => Math.max(furthest, progress), 0),
  };
}

function notInTime(
  seen: readonly SeenInstance[],
  model: string,
  version: string,
  { ready, instances }: WarmProgress,
): NotLoadedInTimeError {
  const errors = new Set(
    seen.flatMap(({ snapshot }) => {
      const error = stateIn(snapshot, model, version)?.error;
      return error === undefined ? [] : [`${error.code}: ${error.message}`];
    }),
  );
  const why = instances === 0 ? '; no instance is awake' : [...errors].map((error) => `; ${error}`).join('');
  const message = `${model}@${version} is READY in ${ready} of ${instances} instances; the wish stands${why}`;
  return new NotLoadedInTimeError(message, { model });
}

function stateIn({ report }: SeenInstance['snapshot'], id: string, version: string) {
  return report.models.find((model) => model.id === id && model.version === version);
}
