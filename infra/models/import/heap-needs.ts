import type { ExportedGraph } from './model-export.ts';

const MB = 1024 * 1024;

/** Where a WebAssembly heap ends, and what the engine itself takes of it. */
const HEAP_MB = 4096;
const ENGINE_MB = 64;
/** A load's peak in the heap over its weights: the engine packs each weight into a form of its own, beside the one that came. */
const PEAK_FACTOR = 2;

/** MB of weights of all sessions: a weight that two graphs share is in both. */
export function weightsMb(graphs: readonly ExportedGraph[]): number {
  return graphs.reduce((sum, { facts }) => sum + facts.weightBytes, 0) / MB;
}

/** What a model will need, before anybody has measured it; MB. */
export function estimatedMemory(graphs: readonly ExportedGraph[]): { peakMb: number; residentMb: number } {
  const residentMb = Math.ceil(ENGINE_MB + 1.1 * PEAK_FACTOR * weightsMb(graphs));
  return { peakMb: Math.ceil(1.1 * residentMb) + 40, residentMb };
}

/** Why the heap cannot hold the model; nothing when it can. */
export function heapProblems(graphs: readonly ExportedGraph[]): string[] {
  const weights = Math.round(weightsMb(graphs));
  const peak = PEAK_FACTOR * weights + ENGINE_MB;
  if (peak <= HEAP_MB) return [];
  const parts = graphs.map(({ path, facts }) => `${path} ${Math.round(facts.weightBytes / MB)} MB`).join(', ');
  return [
    `its weights are ${weights} MB (${parts}): loading them takes about ${peak} MB, and a WebAssembly heap ends at ${HEAP_MB} MB`,
  ];
}
