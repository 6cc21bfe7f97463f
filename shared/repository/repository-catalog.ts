import { MODEL_ID } from '../config/model-id.ts';
import type { Pin } from '../config/pin.ts';
import { CasaLinguaError } from '../errors.ts';
import type { ActiveVersionReader } from './active-version-reader.ts';
import { type ActiveView, chooseVersion, EMPTY_VIEW, mergeViews } from './active-view.ts';
import type { Catalog } from './catalog.ts';
import type { Clock } from './clock.ts';
import { StoreUnavailableError, UnknownModelError } from './errors.ts';
import { type Manifest, modelKey } from './manifest.ts';
import { ManifestCache } from './manifest-cache.ts';
import { REPOSITORY_PREFIX, readManifest } from './manifest-store.ts';
import type { ObjectStore } from './object-store.ts';
import { retry } from './retry.ts';
import type { RetryBudget } from './retry-budget.ts';

export interface CatalogOptions {
  readonly store: ObjectStore;
  readonly active: ActiveVersionReader;
  /** Ids to serve; empty: whatever lies in the repository. */
  readonly models: readonly string[];
  readonly pins: ReadonlyMap<string, Pin>;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Of the store. @default - none */
  readonly retries?: RetryBudget;
  /** Ms for which what is known counts as fresh, before jitter. */
  readonly ttlMs: number;
  /** Ms for one read of the active versions. */
  readonly storeTimeoutMs: number;
  /** Ms for it when nothing is known and some model has no pin; also for listing and for each manifest. */
  readonly storeFirstTimeoutMs: number;
}

/** One consistent answer to every question; replaced as a whole. */
interface Snapshot {
  readonly models: readonly Manifest[];
  readonly byId: ReadonlyMap<string, Manifest>;
  readonly problems: ReadonlyMap<string, CasaLinguaError>;
  /** Why the list of ids itself may be short. */
  readonly idsError: CasaLinguaError | undefined;
  readonly freshUntil: number;
  readonly readAt: number;
}

/** Ms for which the list of ids found in the repository is kept. */
const DISCOVERY_MS = 60_000;
/** Attempts to list the repository or to read one manifest. */
const READ_ATTEMPTS = 3;

/**
 * The catalog over S3 and the fleet's active versions. While fresh it answers from memory; stale, it answers from memory
 * and refreshes beside the request; only a process that knows nothing waits for the stores.
 */
export class RepositoryCatalog implements Catalog {
  readonly #options: CatalogOptions;
  readonly #manifests: ManifestCache;
  #view: ActiveView = EMPTY_VIEW;
  #discovered: { readonly ids: readonly string[]; readonly until: number } | undefined;
  #snapshot: Snapshot | undefined;
  #refreshing: Promise<Snapshot> | undefined;
  #announced: number | undefined;
  /** Something was announced during the refresh that is under way. */
  #isOutdated = false;

  constructor(options: CatalogOptions) {
    this.#options = options;
    this.#manifests = new ManifestCache((model) => this.#readManifest(model), options.clock.now);
  }

  async models(): Promise<readonly Manifest[]> {
    const snapshot = await this.#current();
    if (snapshot.models.length === 0) {
      this.#throwFirstRetryable(snapshot);
    }
    return snapshot.models;
  }

  async model(id: string): Promise<Manifest> {
    const snapshot = await this.#current();
    const manifest = snapshot.byId.get(id);
    if (manifest !== undefined) {
      return manifest;
    }
    throw snapshot.problems.get(id) ?? snapshot.idsError ?? unknownModel(id);
  }

  problems(): ReadonlyMap<string, CasaLinguaError> {
    return this.#snapshot?.problems ?? new Map();
  }

  /**
   * How often active versions have been changed, as the fleet tells with whatever it is asked: when it is another number than
   * before, they are read anew, beside the requests.
   */
  announced(count: number): void {
    if (count === this.#announced) return;
    this.#announced = count;
    const known = this.#snapshot;
    if (known === undefined) return;
    this.#snapshot = { ...known, freshUntil: Number.NEGATIVE_INFINITY };
    // One that is under way may have read what was there before.
    if (this.#refreshing === undefined) void this.#refresh();
    else this.#isOutdated = true;
  }

  /** Begins to read, where nothing is known yet: for whoever will ask in a moment. */
  begin(): void {
    if (this.#snapshot === undefined) void this.#refresh();
  }

  /** The refresh that is under way, if any: an instance that freezes after its answer may wait a moment for it. Never rejects. */
  pending(): Promise<void> | undefined {
    return this.#refreshing?.then(() => undefined);
  }

  #current(): Snapshot | Promise<Snapshot> {
    const known = this.#snapshot;
    if (known === undefined || (known.models.length === 0 && !this.#isFresh(known))) {
      return this.#refresh();
    }
    if (!this.#isFresh(known)) {
      void this.#refresh();
    }
    return known;
  }

  /** A clock that was set back makes a snapshot stale, not immortal. */
  #isFresh(snapshot: Snapshot): boolean {
    const now = this.#options.clock.now();
    return now < snapshot.freshUntil && now >= snapshot.readAt;
  }

  /** Single-flight; never rejects, since every failure is part of the snapshot. */
  #refresh(): Promise<Snapshot> {
    this.#refreshing ??= this.#build().finally(() => {
      this.#refreshing = undefined;
      if (!this.#isOutdated) return;
      this.#isOutdated = false;
      void this.#refresh();
    });
    return this.#refreshing;
  }

  async #build(): Promise<Snapshot> {
    const { ids, error: idsError } = await this.#ids();
    const storeError = await this.#refreshView(ids);
    const wanted = ids.map((id) => ({ id, ...chooseVersion(id, this.#options.pins.get(id), this.#view, storeError) }));
    const byId = new Map<string, Manifest>();
    const problems = new Map<string, CasaLinguaError>();
    await Promise.all(
      wanted.map(async (choice) => {
        const { id } = choice;
        const result = 'version' in choice ? await this.#manifests.get(choice) : choice;
        const manifest = 'manifest' in result ? result.manifest : this.#lastKnown(id, result.error);
        if (manifest !== undefined) {
          byId.set(id, manifest);
        }
        if ('error' in result) {
          problems.set(id, result.error);
        }
      }),
    );
    const models = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#manifests.keepOnly(
      new Set([...models, ...wanted.flatMap((choice) => ('version' in choice ? [choice] : []))].map(modelKey)),
    );
    const now = this.#options.clock.now();
    const freshFor = this.#options.ttlMs * (0.8 + 0.4 * this.#options.random());
    const nothing = models.length === 0 && (idsError ?? firstRetryable(problems)) !== undefined;
    this.#snapshot = { models, byId, problems, idsError, readAt: now, freshUntil: nothing ? now : now + freshFor };
    return this.#snapshot;
  }

  /** While a store is away the version that was served goes on; one that is known to be bad does not hide behind it. */
  #lastKnown(id: string, error: CasaLinguaError): Manifest | undefined {
    return error.retryable ? this.#snapshot?.byId.get(id) : undefined;
  }

  async #ids(): Promise<{ ids: readonly string[]; error: CasaLinguaError | undefined }> {
    const { models, pins, clock } = this.#options;
    if (models.length > 0) {
      return { ids: models, error: undefined };
    }
    const { ids, error } = await this.#discover(clock.now());
    return { ids: [...new Set([...ids, ...pins.keys()])].sort(), error };
  }

  async #discover(now: number): Promise<{ ids: readonly string[]; error: CasaLinguaError | undefined }> {
    if (this.#discovered !== undefined && now < this.#discovered.until) {
      return { ids: this.#discovered.ids, error: undefined };
    }
    try {
      const listing = await this.#read((signal) =>
        this.#options.store.list(REPOSITORY_PREFIX, { delimiter: '/', signal }),
      );
      const ids = listing.folders.map((folder) => folder.slice(REPOSITORY_PREFIX.length, -1));
      this.#discovered = { ids, until: now + DISCOVERY_MS };
      return { ids, error: undefined };
    } catch (thrown) {
      return { ids: this.#discovered?.ids ?? [], error: asCasaLinguaError(thrown) };
    }
  }

  /** Reads the active versions within the budget; answers why it could not. */
  async #refreshView(ids: readonly string[]): Promise<CasaLinguaError | undefined> {
    const { pins, active, storeTimeoutMs, storeFirstTimeoutMs } = this.#options;
    const asked = ids.filter((id) => !pins.get(id)?.hard);
    if (asked.length === 0) {
      return undefined;
    }
    const canServe = asked.every((id) => pins.has(id) || this.#view.versions.has(id));
    try {
      const read = await withTimeout(canServe ? storeTimeoutMs : storeFirstTimeoutMs, (signal) =>
        active.read(asked, { signal }),
      );
      this.#view = mergeViews(this.#view, read);
      return undefined;
    } catch (thrown) {
      return asCasaLinguaError(thrown);
    }
  }

  #readManifest(model: { id: string; version: string }): Promise<Manifest> {
    const getText = (key: string) => this.#read((signal) => this.#options.store.getText(key, { signal }));
    return readManifest({ getText }, model);
  }

  #read<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, random, retries, storeFirstTimeoutMs } = this.#options;
    const options = { attempts: READ_ATTEMPTS, clock, random, budget: retries };
    return retry(() => withTimeout(storeFirstTimeoutMs, call), options);
  }

  /** An empty list must not look like an empty repository when it is a store that is away. */
  #throwFirstRetryable({ problems, idsError }: Snapshot): void {
    const error = idsError ?? firstRetryable(problems);
    if (error !== undefined) {
      throw error;
    }
  }
}

/** A name that no model can have is not repeated: it may be a text in the wrong field. */
function unknownModel(id: string): UnknownModelError {
  return MODEL_ID.test(id)
    ? new UnknownModelError(`there is no model ${id}`, { model: id })
    : new UnknownModelError('there is no model of that name');
}

function firstRetryable(problems: ReadonlyMap<string, CasaLinguaError>): CasaLinguaError | undefined {
  return [...problems.values()].find((error) => error.retryable);
}

function asCasaLinguaError(thrown: unknown): CasaLinguaError {
  return thrown instanceof CasaLinguaError ? thrown : new StoreUnavailableError('the store failed', { cause: thrown });
}

/** Ends a call after `ms`, even one that does not listen to its signal. */
async function withTimeout<T>(ms: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new StoreUnavailableError(`the store did not answer within ${ms} ms`);
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late);
      controller.abort(late);
    }, ms);
  });
  try {
    return await Promise.race([call(controller.signal), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
