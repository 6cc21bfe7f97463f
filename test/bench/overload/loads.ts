import { join } from 'node:path';
import { type Child, startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { referenceSentences } from '../sentences.ts';
import type { GeneratorReply, GeneratorRequest, GeneratorStart } from './generator.ts';
import type { Level } from './outcome.ts';
import { COMMON_JS } from './programs.ts';

/** Of the capacity. */
export const TIMES = [0.5, 1, 2, 5, 10] as const;

const SENTENCES = 500;
/** V8 compiles the engine to its last tier meanwhile. */
const WARM_MS = 10_000;
const CAPACITY_MS = 8_000;
/** Until the queue is what it is at this load; not counted. */
const SETTLE_MS = 3_000;
const LEVEL_MS = 9_000;

export type Generator = Child<GeneratorRequest, GeneratorReply>;

/** The callers, in a process of their own. */
export async function startGenerator(): Promise<Generator> {
  const program = await bundleProgram(join(import.meta.dirname, 'generator.ts'), folders.bench, COMMON_JS);
  const start: GeneratorStart = { sentences: referenceSentences(SENTENCES).map(({ source }) => source) };
  return startChild(program, start, { PATH: process.env['PATH'] ?? '' });
}

/** Answers a second. @param callers who ask again as soon as they are answered; no more than there is room for */
export async function capacityOf(origin: string, generator: Generator, callers: number): Promise<number> {
  const saturate = async (durationMs: number) => {
    const reply = await generator.call({ type: 'closed', origin, callers, durationMs, seed: 1 });
    if (reply.type !== 'closed') throw new Error('the generator answered something else');
    return reply.perSecond;
  };
  await saturate(WARM_MS);
  return saturate(CAPACITY_MS);
}

export interface Load {
  readonly level: Level;
  /** Of one core, which the generator took. */
  readonly generatorCpu: number;
}

export async function loadAt(origin: string, generator: Generator, perSecond: number, seed: number): Promise<Load> {
  const request = { type: 'open', origin, perSecond, warmMs: SETTLE_MS, durationMs: LEVEL_MS, seed } as const;
  const reply = await generator.call(request);
  if (reply.type !== 'open') throw new Error('the generator answered something else');
  return { level: reply.level, generatorCpu: reply.cpuShare };
}

/** For whoever waits. */
export function inWords({ level, generatorCpu }: Load): string {
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  return [
    `${level.offeredPerSecond.toFixed(0)}/s asked for`,
    `${level.goodputPerSecond.toFixed(0)}/s answered in time`,
    `${level.missed} of ${level.admitted} admitted too late`,
    `p50 ${ms(level.p50Ms)}, p99 ${ms(level.p99Ms)}, of long texts ${ms(level.longP99Ms)}`,
    `${level.refused} refused (p99 ${ms(level.refusedP99Ms)}), ${level.withoutRetryAfter + level.otherFailures} wrongly`,
    `health p50 ${ms(level.healthP50Ms)}, p99 ${ms(level.healthP99Ms)}`,
    `generator p99 ${level.lateP99Ms.toFixed(1)} ms late, ${generatorCpu.toFixed(2)} cores`,
    JSON.stringify(level.statuses),
  ].join('; ');
}
