import type { GroupConfig, ModelNeeds } from '../config.ts';

/** MB of the process beside its models: Node, the bundle, the SDK. Measured at 124; with room to grow. */
const PROCESS_MB = 160;
/** What the host keeps free unless its configuration says so itself (shared/host/memory-ledger.ts). */
const SPARE = { mostMb: 2048, share: 0.15 } as const;

/**
 * What keeps a group's function from holding what it preloads; undefined: nothing. Models load one after the other, so at
 * the worst moment all are READY but one, which is at its peak.
 */
export function preloadProblem(
  name: string,
  group: Pick<GroupConfig, 'memoryMb' | 'cacheMb' | 'preload'>,
  needs: ReadonlyMap<string, ModelNeeds>,
): string | undefined {
  const unknown = group.preload.filter((id) => !needs.has(id));
  if (unknown.length > 0) {
    return `${name} preloads ${unknown.join(', ')}, of which nothing is known: name its memory under models`;
  }
  const models = group.preload.map((id) => ({ id, ...(needs.get(id) ?? { peakMb: 0, residentMb: 0, filesMb: 0 }) }));
  const residentMb = sum(models.map((model) => model.residentMb));
  const rise = Math.max(0, ...models.map(({ peakMb, residentMb: own }) => peakMb - own));
  const spareMb = Math.ceil(Math.min(SPARE.mostMb, SPARE.share * group.memoryMb));
  const neededMb = Math.ceil(residentMb + rise);
  const roomMb = group.memoryMb - spareMb - PROCESS_MB;
  const list = models
    .map(({ id, peakMb, residentMb: own }) => `${id} (${own} MB, ${peakMb} MB while it loads)`)
    .join(', ');
  if (neededMb > roomMb) {
    return (
      `${name} has ${group.memoryMb} MB of memory, of which models may have ${roomMb}, ` +
      `and preloads what needs ${neededMb} MB: ${list}`
    );
  }
  const filesMb = Math.ceil(sum(models.map((model) => model.filesMb)));
  if (filesMb > group.cacheMb)
    return `${name} caches ${group.cacheMb} MB of files, and preloads ${filesMb} MB of them: ${list}`;
  return undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
