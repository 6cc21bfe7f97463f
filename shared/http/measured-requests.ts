import type { Metrics } from '../observability/metrics.ts';
import type { RequestObserver } from './access-log.ts';

/** Counts and times answers. */
export function measureRequests(metrics: Metrics): RequestObserver {
  return {
    began: () => {},
    ended({ route, status, ms, code }) {
      const labels = { route, status: `${Math.floor(status / 100)}xx` };
      metrics.count('requests', labels);
      metrics.observe('requestSeconds', labels, ms / 1000);
      if (code !== undefined) metrics.count('failures', { code });
    },
  };
}
