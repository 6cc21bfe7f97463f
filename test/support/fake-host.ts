import type { HostReport, Lease, LeaseOptions, ModelHost, ModelStatus } from '../../shared/host/model-host.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { DetectedLanguage, OutputOf, TaskInput, TaskOutput } from '../../shared/runtime/tasks.ts';

/** A host whose models answer at once by a rule that can be seen: a translation is its text in capitals. */
export interface FakeHost extends ModelHost {
  /** Every task that was run, in order. */
  readonly runs: readonly { readonly model: string; readonly input: TaskInput }[];
  /** What every lease was asked for with, in order. */
  readonly leases: readonly { readonly model: string; readonly options: LeaseOptions }[];
  /** How often it was woken. */
  wakes(): number;
  /** Leases that nobody gave back. */
  leasesHeld(): number;
}

export interface FakeHostOptions {
  /** The languages of a text, best first; default: `spanishByItsSigns`. */
  readonly detect?: (text: string) => readonly DetectedLanguage[];
  /** Awaited before a lease is given; what it throws is what `lease` throws. */
  readonly beforeLease?: (manifest: Manifest, signal: AbortSignal | undefined) => Promise<void>;
  /** Awaited before a task is run; what it throws is what `run` throws. */
  readonly beforeRun?: (input: TaskInput, signal: AbortSignal | undefined, model: string) => Promise<void>;
  readonly status?: readonly ModelStatus[];
}

export function createFakeHost(options: FakeHostOptions = {}): FakeHost {
  const { detect = spanishByItsSigns, beforeLease, beforeRun, status = [] } = options;
  const runs: { model: string; input: TaskInput }[] = [];
  const leases: { model: string; options: LeaseOptions }[] = [];
  let held = 0;
  let wakes = 0;

  const answer = (input: TaskInput): TaskOutput => {
    switch (input.task) {
      case 'translation':
        return {
          task: 'translation',
          translations: input.texts.map((text) => ({
            text: text.toUpperCase(),
            alternatives: Array.from({ length: input.alternatives ?? 0 }, (_, n) => `${text.toUpperCase()} (${n + 2})`),
            confidence: input.withConfidence ? 0.5 : null,
          })),
          usage: { sourceTokens: 1, targetTokens: 1, steps: 1 },
        };
      case 'language-detection':
        return {
          task: 'language-detection',
          detections: input.texts.map((text) => detect(text).slice(0, input.candidates ?? 1)),
        };
    }
  };

  return {
    runs,
    leases,
    wakes: () => wakes,
    leasesHeld: () => held,
    async lease(manifest, options = {}): Promise<Lease> {
      leases.push({ model: manifest.id, options });
      await beforeLease?.(manifest, options.signal);
      held += 1;
      let released = false;
      const run = async <Input extends TaskInput>(input: Input, runSignal?: AbortSignal) => {
        await beforeRun?.(input, runSignal, manifest.id);
        runs.push({ model: manifest.id, input });
        return { output: answer(input) as OutputOf<Input>, computeMs: 1 };
      };
      return {
        manifest,
        worker: runs,
        run: (input, { signal: runSignal } = {}) => run(input, runSignal),
        runBatch(members) {
          const results = members.map(({ input, signal }) => run(input, signal));
          return { results, ended: Promise.allSettled(results).then(() => 1) };
        },
        release() {
          if (!released) held -= 1;
          released = true;
        },
      };
    },
    isReady: (id) => status.some((model) => model.id === id && model.state === 'READY'),
    ensureReady: async () => {},
    preload: () => {},
    unload: async () => {},
    pin: () => {},
    unpin: () => {},
    status: () => status,
    report: () => reportOf(status),
    rest: () => {},
    wake: () => {
      wakes += 1;
    },
    close: async () => {},
  };
}

/** A host of 3 GB with these models and an empty queue. */
export function reportOf(models: readonly ModelStatus[], changes: Partial<HostReport> = {}): HostReport {
  return {
    strategy: 'lazy',
    models,
    queue: { size: 0, limit: 8, loading: [] },
    memory: { protected: true, limitMb: 3072, budgetMb: 2611, rssMb: 1024, reservedMb: 455 },
    ...changes,
  };
}

/** A model that is READY and idle, or what `changes` make of it. */
export function modelStatus(changes: Partial<ModelStatus> = {}): ModelStatus {
  return {
    id: 'translate-en-es',
    version: '1',
    state: 'READY',
    progress: 1,
    bytesLoaded: 209_715_200,
    bytesTotal: 209_715_200,
    leases: 0,
    waiting: 0,
    memoryMb: 455,
    attempts: 1,
    stays: false,
    ...changes,
  };
}

/** Spanish where the text has a sign or a word of it, otherwise English; nothing where it has no letter. */
export function spanishByItsSigns(text: string): readonly DetectedLanguage[] {
  if (!/\p{L}/u.test(text)) return [];
  const spanish = /[¿¡ñáéíóú]|\b(?:hola|mundo)\b/i.test(text);
  return [
    { language: spanish ? 'es' : 'en', confidence: 0.9 },
    { language: spanish ? 'en' : 'es', confidence: 0.1 },
  ];
}

/** Rejects with the signal's reason as soon as it is aborted, and never resolves. */
export function untilGivenUp(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
