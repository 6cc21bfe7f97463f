import type { LoadPermits, PermitSeeker } from '../../host/load-permits.ts';
import type { Metrics } from '../../observability/metrics.ts';

/** The same permits, counted and timed. */
export function measurePermits(permits: LoadPermits, metrics: Metrics, clock: { now(): number }): LoadPermits {
  let sought = 0;
  let held = 0;
  metrics.onSample(() => {
    metrics.gauge('permitsSought', {}, sought);
    metrics.gauge('permitsHeld', {}, held);
  });
  return {
    wake: () => permits.wake(),
    seek(model, seeker) {
      const since = clock.now();
      let state: 'sought' | 'held' | 'over' = 'sought';
      sought += 1;
      /** What becomes of it counts once, whoever tells first. */
      const become = (next: 'held' | 'over') => {
        if (state === 'sought') sought -= 1;
        else if (state === 'held') held -= 1;
        if (next === 'held') held += 1;
        state = next;
      };
      const watching: PermitSeeker = {
        granted(grant) {
          become(grant === 'permit' ? 'held' : 'over');
          metrics.count('permitGrants', { grant });
          metrics.observe('loadSeconds', { phase: 'permit' }, Math.max(0, clock.now() - since) / 1000);
          seeker.granted(grant);
        },
        lost() {
          become('over');
          seeker.lost();
        },
      };
      const permit = permits.seek(model, watching);
      return {
        release() {
          become('over');
          permit.release();
        },
      };
    },
  };
}
