import { BreakerOpenError } from '../../shared/breaker/errors.ts';
import { CasaLinguaError } from '../../shared/errors.ts';
import {
  CannotFitError,
  MemoryShortError,
  MemoryUnreadableError,
  ModelDrainingError,
  ModelLoadFailedError,
  QueueFullError,
} from '../../shared/host/errors.ts';
import type { Log } from '../../shared/observability/log.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { OutputOf, TaskInput } from '../../shared/runtime/tasks.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import type { Fallbacks } from './fallbacks.ts';
import type { RunModel, RunOptions } from './model-run.ts';

/** Which model did the work, by id. */
export interface Serving {
  readonly model: string;
  /** The one that was to do it; another than `model` when its breaker was open. */
  readonly primary: string;
}

/**
 * Runs one task on a model; on its fallback where the model's breaker refuses.
 * @throws what `RunModel` throws, the model's own refusal where the fallback cannot serve either
 */
export type RunServing = <Input extends TaskInput>(
  manifest: Manifest,
  input: Input,
  options: RunOptions,
) => Promise<{ readonly output: OutputOf<Input>; readonly serving: Serving }>;

export interface FallbackDeps {
  readonly run: RunModel;
  readonly catalog: Pick<Catalog, 'model'>;
  readonly fallbacks: Fallbacks;
  readonly log: Log;
}

/** A fallback's run is a run like any other, before a breaker of its own; what it names as its own fallback does not matter. */
export function createFallbackRun({ run, catalog, fallbacks, log }: FallbackDeps): RunServing {
  return async (manifest, input, options) => {
    const primary = manifest.id;
    try {
      return { output: await run(manifest, input, options), serving: { model: primary, primary } };
    } catch (refusal) {
      if (!(refusal instanceof BreakerOpenError)) throw refusal;
      const fallback = await fallbackOf(manifest, input, options.signal);
      if (fallback === undefined) throw refusal;
      const model = fallback.id;
      try {
        const output = await run(fallback, input, options);
        log.info('model.fallback', { primary, model });
        return { output, serving: { model, primary } };
      } catch (thrown) {
        log.info('model.fallback', { primary, model, code: codeOf(thrown) });
        throw keptFromServing(thrown) ? refusal : thrown;
      }
    }
  };

  /** Undefined where there is none that can do this. */
  async function fallbackOf(primary: Manifest, input: TaskInput, signal: AbortSignal): Promise<Manifest | undefined> {
    const id = fallbacks.of(primary);
    if (id === undefined) return undefined;
    try {
      const manifest = await untilAborted(catalog.model(id), signal);
      return canDo(manifest, input) ? manifest : undefined;
    } catch (thrown) {
      if (thrown instanceof CasaLinguaError) return undefined;
      throw thrown;
    }
  }
}

function canDo(manifest: Manifest, input: TaskInput): boolean {
  switch (input.task) {
    case 'translation':
      return (
        manifest.task === 'translation' &&
        manifest.pairs.some(({ source, target }) => source === input.source && target === input.target)
      );
    case 'language-detection':
      return manifest.task === 'language-detection';
  }
}

/** Whether it never came to a run. One that is loading says when it will be there, which is sooner than the model's own probe. */
function keptFromServing(thrown: unknown): boolean {
  return [
    BreakerOpenError,
    CannotFitError,
    MemoryShortError,
    MemoryUnreadableError,
    ModelDrainingError,
    ModelLoadFailedError,
    QueueFullError,
  ].some((kind) => thrown instanceof kind);
}

function codeOf(thrown: unknown): string {
  return thrown instanceof CasaLinguaError ? thrown.code : 'INTERNAL_ERROR';
}
