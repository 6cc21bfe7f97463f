import { CasaLinguaError, messageOf } from '../errors.ts';
import { StoreUnavailableError } from './errors.ts';
import { type Manifest, modelKey } from './manifest.ts';

export type ManifestResult = { readonly manifest: Manifest } | { readonly error: CasaLinguaError };

interface Entry {
  readonly result: Promise<ManifestResult>;
  /** Wall clock, ms, until which the result holds; undefined while it is being read. */
  until: number | undefined;
}

/** Ms for which a manifest that is missing or not valid is not asked for again. */
const INVALID_FOR_MS = 60_000;

/** Manifests by `id@version`: one read each, kept for ever, since a version is immutable. Failures are kept as results. */
export class ManifestCache {
  readonly #read: (model: { id: string; version: string }) => Promise<Manifest>;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(read: (model: { id: string; version: string }) => Promise<Manifest>, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  /** Never rejects. */
  get(model: { id: string; version: string }): Promise<ManifestResult> {
    const key = modelKey(model);
    const known = this.#entries.get(key);
    if (known !== undefined && (known.until === undefined || this.#now() < known.until)) {
      return known.result;
    }
    const entry: Entry = { result: this.#load(model), until: undefined };
    this.#entries.set(key, entry);
    void entry.result.then((result) => {
      entry.until = this.#validUntil(result);
    });
    return entry.result;
  }

  /** Forgets every version but these. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#entries.keys()) {
      if (!keys.has(key)) {
        this.#entries.delete(key);
      }
    }
  }

  async #load(model: { id: string; version: string }): Promise<ManifestResult> {
    try {
      return { manifest: await this.#read(model) };
    } catch (thrown) {
      const error =
        thrown instanceof CasaLinguaError ? thrown : new StoreUnavailableError(messageOf(thrown), { cause: thrown });
      return { error };
    }
  }

  #validUntil(result: ManifestResult): number {
    if ('manifest' in result) {
      return Number.POSITIVE_INFINITY;
    }
    return result.error.retryable ? 0 : this.#now() + INVALID_FOR_MS;
  }
}
