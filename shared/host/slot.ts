import type { Manifest } from '../repository/manifest.ts';
import type { LoadedWorker } from './model-loader.ts';

/** A model on its way. */
export interface Loading {
  readonly kind: 'LOADING';
  phase: 'DOWNLOADING' | 'INITIALIZING' | 'WARMING';
  bytesLoaded: number;
  bytesTotal: number;
  readonly startedAt: number;
  /** Ends the load; its waiters fail. */
  readonly abort: AbortController;
  /** Settles once; every waiter of this load hangs on it. */
  readonly ready: Promise<Ready>;
}

export interface Ready {
  readonly kind: 'READY';
  readonly worker: LoadedWorker;
  readonly startedAt: number;
  readonly readyAt: number;
  lastUsedAt: number;
  leases: number;
}

/** Admits no new lease; ends with its last one. */
export interface Draining {
  readonly kind: 'DRAINING';
  readonly ready: Ready;
  readonly drained: Promise<void>;
  readonly onLastRelease: () => void;
}

export interface Unloaded {
  readonly kind: 'UNLOADED';
}

export interface Failed {
  readonly kind: 'FAILED';
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

/** What the host knows of one version of a model. Only the host changes `state`, and never across an await. */
export interface Slot {
  readonly key: string;
  readonly manifest: Manifest;
  state: Unloaded | Loading | Ready | Draining | Failed;
}
