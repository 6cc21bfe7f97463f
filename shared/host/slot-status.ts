import { runtimeFiles } from '../repository/manifest.ts';
import type { ModelStatus } from './model-host.ts';
import type { Slot } from './slot.ts';

/** What a slot looks like from outside. */
export function statusOf({ manifest, state }: Slot): ModelStatus {
  const { id, version } = manifest;
  const bytesTotal = runtimeFiles(manifest).reduce((sum, { size }) => sum + size, 0);
  const idle = { id, version, leases: 0, progress: 0, bytesLoaded: 0, bytesTotal };
  switch (state.kind) {
    case 'UNLOADED':
      return { ...idle, state: 'UNLOADED' };
    case 'FAILED':
      return { ...idle, state: 'FAILED', error: state.error };
    case 'LOADING': {
      const { phase, bytesLoaded, startedAt } = state;
      return { ...idle, state: phase, progress: progressOf(phase, bytesLoaded / bytesTotal), bytesLoaded, startedAt };
    }
    case 'READY':
    case 'DRAINING': {
      const { leases, startedAt, readyAt, lastUsedAt } = state.kind === 'READY' ? state : state.ready;
      const loaded = { progress: 1, bytesLoaded: bytesTotal };
      return { ...idle, ...loaded, state: state.kind, leases, startedAt, readyAt, lastUsedAt };
    }
  }
}

/** The download counts for seven tenths of a load, creating the sessions for two, the warm-up for the rest. */
function progressOf(phase: 'DOWNLOADING' | 'INITIALIZING' | 'WARMING', downloaded: number): number {
  switch (phase) {
    case 'DOWNLOADING':
      return 0.7 * downloaded;
    case 'INITIALIZING':
      return 0.7;
    case 'WARMING':
      return 0.9;
  }
}
