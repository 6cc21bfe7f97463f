import type { CasaLinguaError } from '../errors.ts';
import type { Manifest } from './manifest.ts';

/** Which models there are and which version of each is active now. */
export interface Catalog {
  /** The active manifest of every model that can be served, by id, sorted. A model whose manifest cannot be read is left out and reported by `problems`. */
  models(): Promise<readonly Manifest[]>;
  /** The active manifest of one model. @throws UnknownModelError, ManifestInvalidError, StoreUnavailableError */
  model(id: string): Promise<Manifest>;
  /** Why models are missing from `models()`, by id, as of the last look. */
  problems(): ReadonlyMap<string, CasaLinguaError>;
}
