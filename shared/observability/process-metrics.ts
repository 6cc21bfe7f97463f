import type { Metrics } from './metrics.ts';

/** Readings of this process's memory. */
export function sampleProcess(metrics: Metrics): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  metrics.gauge('residentBytes', {}, rss);
  metrics.gauge('heapBytes', {}, heapUsed);
  metrics.gauge('externalBytes', {}, external);
}
