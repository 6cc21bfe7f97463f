import type { FleetView, SeenInstance } from '../../shared/fleet/instance-snapshot.ts';
import type { Metrics } from '../../shared/observability/metrics.ts';
import { sampleProcess } from '../../shared/observability/process-metrics.ts';
import { modelKey } from '../../shared/repository/manifest.ts';

const MIB = 1024 * 1024;

/** What `GET /metrics` answers. */
export interface MetricsPage {
  readonly mediaType: string;
  readonly text: string;
}

/**
 * What the live instances tell of themselves in their snapshots, and this process's own memory, as Prometheus text. The library
 * for it is imported with the first call.
 */
export function createFleetMetricsPage(instances: () => Promise<FleetView>): () => Promise<MetricsPage> {
  return async () => {
    const [{ PrometheusMetrics, PROMETHEUS_TYPE }, fleet] = await Promise.all([
      import('../../shared/observability/prometheus-metrics.ts'),
      instances(),
    ]);
    const metrics = new PrometheusMetrics();
    metrics.onSample(() => {
      sampleProcess(metrics);
      metrics.gauge('fleetInstances', {}, fleet.instances.length);
      for (const instance of fleet.instances) sampleInstance(metrics, instance);
    });
    return { mediaType: PROMETHEUS_TYPE, text: await metrics.text() };
  };
}

function sampleInstance(metrics: Metrics, { snapshot, stale }: SeenInstance): void {
  const { id, report, traffic, cpuPercent } = snapshot;
  const labels = { instance: id };
  metrics.gauge('instanceUp', labels, stale ? 0 : 1);
  // A frozen instance uses none.
  metrics.gauge('instanceCpuPercent', labels, stale ? 0 : Math.round(cpuPercent));
  metrics.gauge('instanceQueueSize', labels, report.queue.size);
  const { rssMb, reservedMb, budgetMb } = report.memory;
  if (rssMb !== undefined) metrics.gauge('instanceResidentBytes', labels, rssMb * MIB);
  metrics.gauge('instanceReservedBytes', labels, reservedMb * MIB);
  if (budgetMb !== undefined) metrics.gauge('instanceBudgetBytes', labels, budgetMb * MIB);
  for (const held of report.models) {
    const model = modelKey(held);
    metrics.gauge('instanceModelState', { ...labels, model, state: held.state }, 1);
    metrics.gauge('instanceModelMemoryBytes', { ...labels, model }, held.memoryMb * MIB);
    metrics.gauge('instanceModelLeases', { ...labels, model }, held.leases);
  }
  if (traffic === undefined) return;
  metrics.countTo('instanceRequests', labels, traffic.requests);
  metrics.countTo('instanceFailures', labels, traffic.failures);
  metrics.countTo('instanceSheds', labels, traffic.shed);
  metrics.countTo('instanceTokens', labels, traffic.tokens);
  metrics.countTo('instanceLoads', labels, traffic.loads);
  metrics.countTo('instanceEvictions', labels, traffic.evictions);
  metrics.gauge('instanceInFlight', labels, traffic.inFlight);
  const { serviceMs } = traffic;
  if (serviceMs === undefined) return;
  metrics.gauge('instanceServiceSeconds', { ...labels, quantile: '0.5' }, serviceMs.p50 / 1000);
  metrics.gauge('instanceServiceSeconds', { ...labels, quantile: '0.9' }, serviceMs.p90 / 1000);
}
