import type { AdmissionReport } from '../../shared/admission/admission-report.ts';
import type { BreakerReport, BreakerState } from '../../shared/breaker/breaker-state.ts';
import type { TableCounts } from '../../shared/fleet/table/table-calls.ts';
import type { HostReport } from '../../shared/host/model-host.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import { sampleProcess } from '../../shared/observability/process-metrics.ts';
import type { RetryReport, StoreRetries } from '../../shared/repository/retry-budget.ts';

const MIB = 1024 * 1024;

/** What an instance reads when somebody wants to know. */
export interface Sampled {
  readonly host: { report(): HostReport };
  readonly gate: { report(): AdmissionReport };
  readonly fleet: { report(): readonly BreakerReport[] };
  readonly table: { counts(): TableCounts };
  readonly snapshots: { dropped(): number };
  readonly retries: Readonly<Record<keyof StoreRetries, { report(): RetryReport }>>;
}

export function sampleInstance(metrics: Metrics, { host, gate, fleet, table, snapshots, retries }: Sampled): void {
  sampleProcess(metrics);
  sampleHost(metrics, host.report());
  sampleAdmission(metrics, gate.report());
  sampleBreakers(metrics, fleet.report());
  sampleTable(metrics, table.counts());
  metrics.countTo('snapshotsDropped', {}, snapshots.dropped());
  sampleRetries(metrics, 's3', retries.s3.report());
  sampleRetries(metrics, 'dynamo', retries.dynamo.report());
}

/** Readings of the host. */
function sampleHost(metrics: Metrics, { models, queue, memory }: HostReport): void {
  metrics.gauge('modelsReady', {}, models.filter(({ state }) => state === 'READY').length);
  metrics.gauge('modelsLoading', {}, queue.loading.length);
  metrics.gauge('loadQueue', {}, queue.size);
  metrics.gauge(
    'leases',
    {},
    models.reduce((sum, { leases }) => sum + leases, 0),
  );
  for (const { id, version, memoryMb, heapMb } of models) {
    const model = `${id}@${version}`;
    if (memoryMb > 0) metrics.gauge('modelMemoryBytes', { model }, memoryMb * MIB);
    if (heapMb !== undefined) metrics.gauge('wasmHeapBytes', { model }, heapMb * MIB);
  }
  metrics.gauge('reservedBytes', {}, memory.reservedMb * MIB);
  if (memory.budgetMb !== undefined) metrics.gauge('budgetBytes', {}, memory.budgetMb * MIB);
}

const openness: Readonly<Record<BreakerState, number>> = { CLOSED: 0, RAMP: 0.5, HALF_OPEN: 0.5, OPEN: 1 };

function sampleBreakers(metrics: Metrics, breakers: readonly BreakerReport[]): void {
  for (const { name, state } of breakers) metrics.gauge('breakerOpen', { breaker: name }, openness[state]);
}

/** The gate's part of what an instance tells of its traffic. */
export function admissionOf({ shed, queueDelayMs }: AdmissionReport): { shed: number; queueDelayMs: number } {
  return { shed: Object.values(shed).reduce((sum, count) => sum + count, 0), queueDelayMs: queueDelayMs?.p50 ?? 0 };
}

/** What the gate of admission tells. */
function sampleAdmission(metrics: Metrics, report: AdmissionReport): void {
  for (const [reason, total] of Object.entries(report.shed)) metrics.countTo('sheds', { reason }, total);
  metrics.countTo('admitted', {}, report.admitted);
  metrics.countTo('deadlineMisses', {}, report.missed);
  metrics.countTo('batchedRequests', {}, report.batchedRequests);
  metrics.gauge('admissionInFlight', {}, report.inFlight);
  metrics.gauge('admissionWaiting', {}, report.waiting);
  metrics.gauge('queueDelaySeconds', {}, (report.queueDelayMs?.p50 ?? 0) / 1000);
}

/** Calls to the fleet's table. */
function sampleTable(metrics: Metrics, counts: TableCounts): void {
  const { reads, writes, unavailable, refused, mishandled } = counts;
  metrics.countTo('storeCalls', { outcome: 'answered' }, reads + writes - unavailable - mishandled);
  metrics.countTo('storeCalls', { outcome: 'unavailable' }, unavailable - refused);
  metrics.countTo('storeCalls', { outcome: 'failed' }, refused + mishandled);
}

function sampleRetries(metrics: Metrics, store: keyof StoreRetries, { retries, refused }: RetryReport): void {
  metrics.countTo('storeRetries', { store, outcome: 'made' }, retries);
  metrics.countTo('storeRetries', { store, outcome: 'refused' }, refused);
}
