import { type FleetMemory, slotOf, sumUpMemory } from '../../shared/fleet/memory/fleet-memory.ts';
import type { MemoryHistory } from '../../shared/fleet/memory/memory-history.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import type { MonitorTask } from './monitor.ts';

const MIB = 1024 * 1024;

/**
 * The whole fleet's memory, in MB: the sums over all live instances, measured with each run, and written into the bucket once in five minutes,
 * by whichever run is the first.
 */
export function createFleetMemory(
  history: Pick<MemoryHistory, 'write'>,
  metrics: Metrics,
  clock: { now(): number },
): MonitorTask {
  /** The slot whose snapshot is known to be in the bucket. */
  let written: number | undefined;
  return {
    name: 'fleet-memory',
    async run(instances, signal) {
      const read = await instances();
      const now = clock.now();
      const memory = sumUpMemory(read, now);
      measure(metrics, memory);
      const slot = slotOf(now);
      const isFirst = written !== slot && (await history.write(slot, memory, { signal }));
      written = slot;
      metrics.count('memorySnapshots', {});
      return {
        instances: memory.instance_count,
        unreadable: memory.unreadable,
        rssMb: memory.rss_mb,
        reservedMb: memory.reserved_mb,
        limitMb: memory.limit_mb,
        written: isFirst,
      };
    },
  };
}

function measure(metrics: Metrics, memory: FleetMemory): void {
  metrics.gauge('fleetInstances', {}, memory.instance_count);
  metrics.gauge('fleetResidentBytes', {}, memory.rss_mb * MIB);
  metrics.gauge('fleetReservedBytes', {}, memory.reserved_mb * MIB);
  metrics.gauge('fleetLimitBytes', {}, memory.limit_mb * MIB);
}
