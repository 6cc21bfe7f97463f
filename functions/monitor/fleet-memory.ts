import type { MonitorTask } from './monitor.ts';

/** A snapshot of the whole fleet's memory, in MB: the sums over all live instances. It changes nothing. */
export const fleetMemory: MonitorTask = {
  name: 'fleet-memory',
  async run(instances) {
    const { snapshots, unreadable } = await instances();
    const sum = (mbOf: (memory: (typeof snapshots)[number]['report']['memory']) => number | undefined) =>
      Math.round(snapshots.reduce((total, { report }) => total + (mbOf(report.memory) ?? 0), 0));
    return {
      instances: snapshots.length,
      unreadable,
      rssMb: sum(({ rssMb }) => rssMb),
      reservedMb: sum(({ reservedMb }) => reservedMb),
      limitMb: sum(({ limitMb }) => limitMb),
    };
  },
};
