export interface ActiveVersion {
  readonly version: string;
  /** Grows with every change: of two views the one with the larger is the newer. */
  readonly seq: number;
}

/** What the catalog needs to know of the fleet. */
export interface ActiveVersionReader {
  /**
   * The active versions of these models, by id; a model without one is left out.
   * @throws StoreUnavailableError, StoreRefusedError, or the signal's reason
   */
  read(ids: readonly string[], options?: { signal?: AbortSignal }): Promise<ReadonlyMap<string, ActiveVersion>>;
}
