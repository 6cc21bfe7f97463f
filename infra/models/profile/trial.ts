import type { Manifest } from '../../../shared/repository/manifest.ts';
import { modelProcess } from '../../model-process.ts';
import { askChild } from '../child-process.ts';

/** One load of a model in a fresh process, as it happens in production, and how fast it is then. */
export interface TrialRequest {
  /** With what is tried in `loading`. */
  readonly manifest: Manifest;
  /** Holds the manifest's files. */
  readonly folder: string;
  /** Holds the bundled worker and the engine. */
  readonly engineFolder: string;
  /** For each batch size ms in which it is measured; 0: speed is not measured. */
  readonly measureMs: number;
}

/** MB of 2^20 bytes, ms. */
export interface TrialReply {
  /** What the process grew by; the compiled engine, which all models share, was there before. */
  readonly memory: { readonly peakMb: number; readonly residentMb: number };
  readonly load: { readonly downloadedMs: number; readonly warmingMs: number; readonly readyMs: number };
  readonly speed: TrialSpeed | undefined;
}

export interface TrialSpeed {
  readonly unit: 'tokens' | 'texts';
  /** Per second, one text at a time and 32 together. */
  readonly batch1: number;
  readonly batch32: number;
}

/** @throws ChildFailedError with what the load or the model failed of */
export function runTrial(request: TrialRequest, flags: readonly string[] = []): Promise<TrialReply> {
  return askChild<TrialRequest, TrialReply>(new URL('trial-child.ts', import.meta.url), request, {
    flags,
    environment: modelProcess,
  });
}
