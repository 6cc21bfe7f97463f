import type { LoadPriority } from '../../shared/host/model-host.ts';
import { BadRequestError } from '../../shared/http/errors.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import type { DetectionManifest, Manifest } from '../../shared/repository/manifest.ts';
import type { DetectedLanguage } from '../../shared/runtime/tasks.ts';
import { untilAborted } from '../../shared/until-aborted.ts';
import { ModelMissingError } from './errors.ts';
import type { RunServing, Serving } from './fallback-run.ts';
import type { Fallbacks } from './fallbacks.ts';
import { runOptions } from './model-run.ts';

export interface DetectRequest {
  readonly texts: readonly string[];
  /** Candidates wanted for each text. */
  readonly candidates: number;
  /** By id; default: the catalog's detector. */
  readonly model?: string | undefined;
  /** Ms, as `LeaseOptions` has it. */
  readonly keepAliveMs?: number | undefined;
  readonly priority?: LoadPriority | undefined;
  readonly signal: AbortSignal;
  /** Ms since the epoch, as `RunOptions` has it. */
  readonly deadline?: number | undefined;
}

export interface Detections {
  /** The model that judged. */
  readonly servedBy: Serving;
  /** One list for each text, best first; empty where the text holds nothing to judge by. */
  readonly texts: readonly (readonly DetectedLanguage[])[];
}

/**
 * Tells languages.
 * @throws ModelMissingError, UnknownModelError, BadRequestError when the model named is of another task
 */
export type Detect = (request: DetectRequest, manifests: readonly Manifest[]) => Promise<Detections>;

export function createDetect(deps: { run: RunServing; catalog: Catalog; fallbacks: Fallbacks }): Detect {
  const { run, catalog, fallbacks } = deps;
  return async (request, manifests) => {
    const { texts, candidates, model, signal } = request;
    const detector =
      model === undefined
        ? anyDetector(fallbacks.primariesFirst(manifests))
        : await untilAborted(namedDetector(model, manifests), signal);
    const input = { task: 'language-detection', texts, candidates } as const;
    const { output, serving } = await run(detector, input, runOptions(request));
    return { servedBy: serving, texts: output.detections };
  };

  async function namedDetector(id: string, manifests: readonly Manifest[]): Promise<DetectionManifest> {
    const manifest = await namedModel(id, manifests, catalog);
    if (manifest.task !== 'language-detection')
      throw new BadRequestError(`model ${manifest.id} does not detect languages`);
    return manifest;
  }
}

/** The manifest of a model that a caller names. @throws UnknownModelError, ManifestInvalidError, StoreUnavailableError */
export async function namedModel(id: string, manifests: readonly Manifest[], catalog: Catalog): Promise<Manifest> {
  return manifests.find((manifest) => manifest.id === id) ?? (await catalog.model(id));
}

function anyDetector(manifests: readonly Manifest[]): DetectionManifest {
  const detector = manifests.find((manifest) => manifest.task === 'language-detection');
  if (detector === undefined) throw new ModelMissingError('no model that detects languages is published');
  return detector;
}
