import type { ModelStatus } from './model-host.ts';
import type { Slot, SlotState } from './slot.ts';

const MIB = 1024 * 1024;

/** The part of a load that is behind it when a phase begins: the download is most of it. */
const behind = { DOWNLOADING: 0, INITIALIZING: 0.7, WARMING: 0.9 } as const;

/** 0 to 1. */
export function progressOf({ state, bytesTotal }: Slot): number {
  switch (state.kind) {
    case 'UNLOADED':
    case 'QUEUED':
    case 'FAILED':
      return 0;
    case 'DOWNLOADING':
      return downloaded(state.load.bytesLoaded, bytesTotal);
    case 'INITIALIZING':
    case 'WARMING':
      return behind[state.kind];
    case 'READY':
    case 'DRAINING':
      return 1;
  }
}

/** The part of a load that is behind it when so many of its bytes are on disk. */
export function downloaded(bytes: number, bytesTotal: number): number {
  return bytesTotal === 0 ? 0 : (behind.INITIALIZING * bytes) / bytesTotal;
}

/** What only the scheduler can tell of a slot. */
export interface Surroundings {
  readonly stays: boolean;
  readonly secondsLeft: number | undefined;
  readonly waitsForPermit: boolean;
}

/** What a slot looks like from outside. */
export function statusOf(slot: Slot, { stays, secondsLeft, waitsForPermit }: Surroundings): ModelStatus {
  const { manifest, state, lastFailure } = slot;
  return {
    id: manifest.id,
    version: manifest.version,
    state: state.kind,
    progress: progressOf(slot),
    bytesLoaded: 0,
    bytesTotal: slot.bytesTotal,
    leases: 0,
    waiting: slot.waiters.size,
    memoryMb: 0,
    attempts: slot.attempts,
    stays,
    ...(secondsLeft === undefined ? {} : { secondsLeft }),
    ...(waitsForPermit ? { waitsForPermit } : {}),
    ...(lastFailure === undefined ? {} : { error: lastFailure }),
    ...ofState(state, slot.bytesTotal),
  };
}

function ofState(state: SlotState, bytesTotal: number): Partial<ModelStatus> {
  switch (state.kind) {
    case 'UNLOADED':
      return {};
    case 'QUEUED':
      return state.notBefore === 0 ? {} : { nextTryAt: state.notBefore };
    case 'FAILED':
      return { error: state.failure, ...(state.retryAt === undefined ? {} : { nextTryAt: state.retryAt }) };
    case 'DOWNLOADING':
    case 'INITIALIZING':
    case 'WARMING': {
      const { bytesLoaded, startedAt, stay } = state.load;
      return { bytesLoaded, startedAt, memoryMb: stay.memoryMb };
    }
    case 'READY':
    case 'DRAINING': {
      const { leases, startedAt, readyAt, lastUsedAt, stay, worker } = state.kind === 'READY' ? state : state.ready;
      const heapMb = worker.heapBytes / MIB;
      return { bytesLoaded: bytesTotal, leases, startedAt, readyAt, lastUsedAt, memoryMb: stay.memoryMb, heapMb };
    }
  }
}
