import type { LoadDocument } from '../read/documents.ts';
import { type Badge, modelBadge } from './badge.ts';
import { duration, megabytesOf } from './words.ts';

export interface LoadRow {
  readonly id: string;
  readonly model: string;
  readonly instance: string;
  readonly phase: Badge;
  /** 0 to 1. */
  readonly progress: number;
  /** The progress in words. */
  readonly done: string;
  readonly left: string;
}

export function loadRows(loads: readonly LoadDocument[]): readonly LoadRow[] {
  return loads
    .map((load) => ({
      id: `${load.instance} ${load.model}@${load.version}`,
      model: `${load.model}@${load.version}`,
      instance: load.instance,
      phase: modelBadge(load.phase),
      progress: load.progress,
      done: doneInWords(load),
      left: leftInWords(load),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function doneInWords({ progress, bytes_loaded: loaded, bytes_total: total }: LoadDocument): string {
  return `${Math.floor(progress * 100)} %, ${megabytesOf(loaded)} of ${megabytesOf(total)} MB`;
}

function leftInWords({ stale, seconds_left: seconds, waits_for_permit: waits }: LoadDocument): string {
  if (stale) return 'stands still: its instance says nothing';
  if (waits) return 'waits for a permit';
  return seconds === null ? 'not known' : `about ${duration(Math.max(1, seconds) * 1_000)}`;
}
