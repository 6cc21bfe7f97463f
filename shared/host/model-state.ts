/** Design part 6. */
export type ModelState =
  | 'UNLOADED'
  | 'QUEUED'
  | 'DOWNLOADING'
  | 'INITIALIZING'
  | 'WARMING'
  | 'READY'
  | 'DRAINING'
  | 'FAILED';

/** Every step that a model may take; docs/model-host.md says when, and a test compares the two. */
export const transitions: Readonly<Record<ModelState, readonly ModelState[]>> = {
  UNLOADED: ['QUEUED'],
  QUEUED: ['DOWNLOADING', 'UNLOADED', 'FAILED'],
  DOWNLOADING: ['INITIALIZING', 'QUEUED', 'FAILED', 'UNLOADED'],
  INITIALIZING: ['WARMING', 'QUEUED', 'FAILED', 'UNLOADED'],
  WARMING: ['READY', 'QUEUED', 'FAILED', 'UNLOADED'],
  READY: ['DRAINING', 'UNLOADED', 'FAILED'],
  DRAINING: ['UNLOADED'],
  FAILED: ['QUEUED', 'UNLOADED'],
};
