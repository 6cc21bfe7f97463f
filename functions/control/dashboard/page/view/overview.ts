import type { HealthDocument } from '../read/documents.ts';
import { type Badge, statusBadge } from './badge.ts';
import { amount, counted, duration, megabytes, milliseconds } from './words.ts';

/** One figure above the tables. */
export interface Tile {
  readonly name: string;
  readonly figure: string;
  /** What it is of, or what goes with it. */
  readonly note: string;
}

export interface Overview {
  readonly status: Badge;
  readonly reasons: readonly string[];
  readonly tiles: readonly Tile[];
}

/** The fleet in a few figures. @param requestsPerSecond undefined while it is not known */
export function overviewOf(health: HealthDocument, requestsPerSecond: number | undefined): Overview {
  return {
    status: statusBadge(health.status),
    reasons: health.reasons,
    tiles: [instancesTile(health), modelsTile(health), queueTile(health), memoryTile(health), ...traffic()],
  };

  function traffic(): readonly Tile[] {
    const { admission } = health;
    const p90 = admission?.service_ms.p90 ?? null;
    return [
      {
        name: 'Requests',
        figure: requestsPerSecond === undefined ? '–' : `${amount(requestsPerSecond)} /s`,
        note: admission === null ? 'no instance tells' : `${pace()}${admission.in_flight} in flight${waiting()}`,
      },
      {
        name: 'Service time',
        figure: p90 === null ? '–' : milliseconds(p90),
        note: p90 === null ? 'nothing measured' : 'p90 of the slowest instance',
      },
    ];

    /** Instances tell their counts every half a minute. */
    function pace(): string {
      return requestsPerSecond === undefined ? 'measuring, ' : '';
    }

    function waiting(): string {
      return admission?.waiting ? `, ${admission.waiting} waiting` : '';
    }
  }
}

function instancesTile({ instances, instance_count: count, uptime }: HealthDocument): Tile {
  const stale = instances.filter((instance) => instance.stale).length;
  const oldest = count === 0 ? 'idle: the next request starts one' : `oldest ${duration(uptime * 1_000)}`;
  return {
    name: 'Instances',
    figure: String(count),
    note: stale === 0 ? oldest : `${counted(stale, 'is', 'are')} stale`,
  };
}

function modelsTile({ models }: HealthDocument): Tile {
  const ready = models.filter((model) => model.ready).length;
  const failed = models.filter(({ status }) => status === 'FAILED').length;
  return {
    name: 'Models ready',
    figure: `${ready} of ${models.length}`,
    note: failed === 0 ? 'the rest loads when asked for' : `${failed} FAILED`,
  };
}

function queueTile({ model_queue: queue }: HealthDocument): Tile {
  const loading = queue.currently_loading.length;
  return {
    name: 'Load queue',
    figure: String(queue.size),
    note: loading === 0 ? 'nothing loads' : `${counted(loading, 'version loads', 'versions load')}`,
  };
}

function memoryTile({ system, instances }: HealthDocument): Tile {
  const reserved = instances.reduce((sum, { memory }) => sum + (memory.reserved_mb ?? 0), 0);
  return {
    name: 'Memory',
    figure: system.memory_percent === null ? '–' : `${amount(system.memory_percent)} %`,
    note:
      system.memory_used === null
        ? 'cannot be read'
        : `${system.memory_used} of ${system.memory_total}, models ${megabytes(reserved)}`,
  };
}
