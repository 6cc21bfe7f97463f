import type { Ground } from './effects.ts';
import type { LoadEstimates } from './load-estimates.ts';
import { isLoading, type Slot } from './slot.ts';

/** Seconds until the model may be READY, or may be tried again; undefined: nothing is under way, or nothing tells. */
export function secondsLeft(
  slot: Slot,
  { clock, settings, table }: Ground,
  estimates: LoadEstimates,
): number | undefined {
  const { state } = slot;
  if (state.kind === 'FAILED') {
    return state.retryAt === undefined ? undefined : Math.max(0, (state.retryAt - clock.wall()) / 1000);
  }
  if (state.kind === 'UNLOADED' || state.kind === 'READY') return undefined;
  const ownMs = estimates.leftMs(slot, clock.awake());
  if (ownMs === undefined) return undefined;
  if (state.kind !== 'QUEUED') return ownMs / 1000;
  let aheadMs = 0;
  for (const other of table.all()) {
    const isAhead = isLoading(other.state) || (other.state.kind === 'QUEUED' && other.state.order < state.order);
    if (isAhead) aheadMs += estimates.leftMs(other, clock.awake()) ?? 0;
  }
  return (ownMs + Math.max(aheadMs / settings.loadConcurrency, state.notBefore - clock.wall(), 0)) / 1000;
}
