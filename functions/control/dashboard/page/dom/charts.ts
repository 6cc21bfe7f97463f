import { type MemorySample, memoryChart } from '../history/memory-history.ts';
import { type TrafficSample, trafficChart } from '../history/traffic-history.ts';
import { amount, megabytes, milliseconds } from '../view/words.ts';
import { byId, make } from './elements.ts';
import { createTimeChart } from './time-chart.ts';

export interface Charts {
  /** @param now the service's wall clock, ms */
  show(memory: readonly MemorySample[], traffic: readonly TrafficSample[], now: number): void;
  recolour(): void;
}

const MINUTE_MS = 60_000;
/** Less is not shown: what is known fills the charts only then. */
const SHORTEST_MS = 3 * MINUTE_MS;

/** All charts show the same time. @param changed what is to be shown is another: told when somebody chooses so */
export function createCharts(changed: () => void): Charts {
  const time = byId('window', HTMLSelectElement);
  const of = byId('memory-of', HTMLSelectElement);
  time.addEventListener('change', changed);
  of.addEventListener('change', changed);

  const memory = createTimeChart('memory-chart', {
    title: 'Memory per model',
    format: megabytes,
    formatAxis: (mb) => (mb < 1024 ? `${mb} MB` : `${amount(mb / 1024)} GB`),
    least: 64,
    height: 300,
    // Halves and doubles of a GB.
    steps: Array.from({ length: 20 }, (_, power) => 2 ** (power + 3)),
  });
  const throughput = createTimeChart('throughput-chart', {
    title: 'Requests per second',
    format: (value) => `${amount(value)} /s`,
    formatAxis: amount,
    least: 1,
    height: 170,
  });
  const latency = createTimeChart('latency-chart', {
    title: 'Service time and wait, of the slowest instance',
    format: milliseconds,
    formatAxis: milliseconds,
    least: 10,
    height: 170,
  });
  const shed = createTimeChart('shed-chart', {
    title: 'Requests per minute that were refused, or failed',
    format: (value) => `${amount(value)} /min`,
    formatAxis: amount,
    least: 1,
    height: 170,
  });

  return {
    show(memorySamples, trafficSamples, now) {
      showInstances(memorySamples.at(-1));
      const since = now - Number(time.value) * MINUTE_MS;
      const to = now / 1_000;
      const from =
        Math.max(since, Math.min(firstOf(memorySamples), firstOf(trafficSamples), now - SHORTEST_MS)) / 1_000;
      memory.show(memoryChart(memorySamples, of.value === '' ? undefined : of.value, since), from, to);
      throughput.show(trafficChart(trafficSamples, [['requestsPerSecond', 'requests']], since), from, to);
      latency.show(
        trafficChart(
          trafficSamples,
          [
            ['p50Ms', 'service p50'],
            ['p90Ms', 'service p90'],
            ['queueDelayMs', 'wait for a turn'],
          ],
          since,
        ),
        from,
        to,
      );
      shed.show(
        trafficChart(
          trafficSamples,
          [
            ['shedPerMinute', 'refused'],
            ['failuresPerMinute', 'failed'],
          ],
          since,
        ),
        from,
        to,
      );
    },
    recolour() {
      for (const chart of [memory, throughput, latency, shed]) chart.recolour();
    },
  };

  /** The one that is chosen stays, though it may be gone: what it had is still to be seen. */
  function showInstances(latest: MemorySample | undefined): void {
    const ids = [...(latest?.instances.keys() ?? [])].sort();
    if (of.value !== '' && !ids.includes(of.value)) ids.push(of.value);
    const shown = Array.from(of.options, ({ value }) => value).filter((value) => value !== '');
    if (ids.join('\n') === shown.join('\n')) return;
    const chosen = of.value;
    const [fleet] = of.options;
    of.replaceChildren(...(fleet === undefined ? [] : [fleet]), ...ids.map((id) => make('option', { value: id }, id)));
    of.value = chosen;
  }
}

function firstOf(samples: readonly { readonly at: number }[]): number {
  return samples[0]?.at ?? Number.POSITIVE_INFINITY;
}
