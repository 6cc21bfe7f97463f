import type { AdmissionReport } from '../../shared/admission/admission-report.ts';
import { instanceDocument, modelDocument, secondsBetween } from '../../shared/fleet/instance-document.ts';
import type { SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import type { MemoryReport } from '../../shared/host/model-host.ts';
import { timeOf } from '../../shared/time-document.ts';
import { fleetBreakerDocument } from './breaker-document.ts';
import type { FleetBreaker } from './fleet-breakers.ts';
import type { FleetHealth } from './fleet-health.ts';
import type { FleetModel, HeldModel } from './fleet-models.ts';
import { admissionDocument, eventsDocument, loadsDocument } from './traffic-document.ts';

/** Instances that are written in full, the latest heard of first; an answer of Lambda ends at 6 MB. */
const mostInstances = 100;

/** `GET /health/detailed`: the plan's fields, what they were summed up from, and why. */
export function detailedDocument(
  { status, reasons }: FleetHealth,
  models: readonly FleetModel[],
  instances: readonly SeenInstance[],
  breakers: readonly FleetBreaker[],
  gate: AdmissionReport | undefined,
  now: number,
) {
  const reports = instances.map(({ snapshot }) => snapshot.report);
  const started = instances.map(({ snapshot }) => snapshot.startedAt);
  return {
    status,
    timestamp: timeOf(now),
    uptime: secondsBetween(Math.min(now, ...started), now),
    models: models.map(modelSummary),
    model_queue: {
      size: sum(reports.map(({ queue }) => queue.size)),
      currently_loading: [...new Set(reports.flatMap(({ queue }) => queue.loading))].sort(),
    },
    system: {
      ...memoryOf(reports.map(({ memory }) => memory)),
      // A frozen instance uses none.
      cpu_usage: sum(instances.map(({ snapshot, stale }) => (stale ? 0 : Math.round(snapshot.cpuPercent)))),
    },
    breakers: breakers.map(fleetBreakerDocument),
    admission: admissionDocument(instances, gate),
    loads: loadsDocument(instances),
    events: eventsDocument(instances),
    instance_count: instances.length,
    instances: instances
      .toSorted((a, b) => b.snapshot.at - a.snapshot.at)
      .slice(0, mostInstances)
      .map((instance) => seenDocument(instance, now)),
    reasons,
  };
}

/** `GET /health/models`: the same models, each with the instances that hold it. */
export function modelsDocument({ status, reasons }: FleetHealth, models: readonly FleetModel[], now: number) {
  return {
    status,
    timestamp: timeOf(now),
    models: models.map((model) => ({
      ...modelSummary(model),
      instances: model.held.slice(0, mostInstances).map(heldDocument),
    })),
    reasons,
  };
}

function modelSummary({ name, version, status, loadingProgress, ready, states }: FleetModel) {
  return { name, status, loading_progress: loadingProgress, ready, version, states };
}

/** A model on an instance. */
export function heldDocument({ instance, stale, model }: HeldModel) {
  return { instance, stale, ...modelDocument(model) };
}

function seenDocument({ snapshot, stale }: SeenInstance, now: number) {
  return { id: snapshot.id, stale, ...instanceDocument(snapshot, now) };
}

/** Sums over the instances that can read their memory; null where there are instances and none can. */
function memoryOf(reports: readonly MemoryReport[]) {
  const readable = reports.flatMap(({ limitMb, rssMb }) =>
    limitMb === undefined || rssMb === undefined ? [] : [{ limitMb, rssMb }],
  );
  if (reports.length > 0 && readable.length === 0) {
    return { memory_total: null, memory_available: null, memory_used: null, memory_percent: null };
  }
  const total = sum(readable.map(({ limitMb }) => limitMb));
  const used = sum(readable.map(({ rssMb }) => rssMb));
  return {
    memory_total: gigabytes(total),
    memory_available: gigabytes(Math.max(0, total - used)),
    memory_used: gigabytes(used),
    memory_percent: total === 0 ? 0 : Math.round((1000 * used) / total) / 10,
  };
}

function gigabytes(mb: number): string {
  return `${(mb / 1024).toFixed(1)} GB`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
