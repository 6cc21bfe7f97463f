/** What the parent asks of each side of the comparison. */
export interface RoundRequest {
  readonly type: 'round';
  /** Texts of one call. */
  readonly batch: number;
}

/** All sentences translated once. */
export interface Round {
  readonly ms: number;
  /** Processor time of the whole process, all threads. */
  readonly cpuMs: number;
  /** In the sentences' order. */
  readonly translations: readonly string[];
}

/**
 * Us, and transformers.js on onnxruntime-web and on onnxruntime-node with the model as it was exported; then on
 * onnxruntime-web with the graphs that we publish.
 */
export const sideNames = ['ours', 'web', 'node', 'webPublished'] as const;
export type SideName = (typeof sideNames)[number];

/** The rounds of one batch size, side by side. */
export type Rounds = Readonly<Record<SideName, readonly Round[]>>;

/** What every side is started with. */
export interface SideStart {
  readonly sentences: readonly string[];
}

/** Translates all sentences, call by call in their order, and times it. */
export async function runRound(
  sentences: readonly string[],
  batch: number,
  translate: (texts: readonly string[]) => Promise<readonly string[]>,
): Promise<Round> {
  const translations: string[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let first = 0; first < sentences.length; first += batch) {
    translations.push(...(await translate(sentences.slice(first, first + batch))));
  }
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000, translations };
}
