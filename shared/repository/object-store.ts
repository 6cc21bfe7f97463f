export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string;
}

export interface RangeRequest {
  /** First byte. */
  readonly start: number;
  /** One after the last byte. */
  readonly end: number;
  /** The ETag that the object must still have. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface RangeResponse {
  readonly etag: string;
  /** Bytes of the whole object. */
  readonly totalSize: number;
  /** The range's bytes in order. It ends early or throws when the connection breaks: whoever reads counts. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Listing {
  readonly objects: readonly ObjectInfo[];
  /** With a delimiter: the "folders", each ending in it. */
  readonly folders: readonly string[];
}

interface Cancellable {
  readonly signal?: AbortSignal;
}

/**
 * What reading a model repository needs. One attempt each: retries are the caller's.
 * Every method throws StoreUnavailableError (no answer, 5xx, throttled), StoreRefusedError, or the signal's reason.
 */
export interface ObjectStore {
  /** @throws ObjectNotFoundError, ObjectChangedError when `ifMatch` does not hold or the object ends before `start` */
  getRange(key: string, request: RangeRequest): Promise<RangeResponse>;
  /** A small object as UTF-8. @throws ObjectNotFoundError */
  getText(key: string, options?: Cancellable): Promise<string>;
  list(prefix: string, options?: Cancellable & { readonly delimiter?: string }): Promise<Listing>;
  /**
   * Drops every connection, idle or not: after a freeze they are dead without knowing it. A call under way fails with
   * StoreUnavailableError; the next takes a fresh connection.
   */
  renewConnections(): void;
}

export interface PublishedObject extends ObjectInfo {
  /** Lower case hex, as its publisher recorded it; undefined for an object that came another way. */
  readonly sha256: string | undefined;
}

export interface PutFile {
  /** Lower case hex; recorded with the object. */
  readonly sha256: string;
  readonly signal?: AbortSignal;
  /** Bytes sent so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** What publishing needs besides. Objects are immutable: a key that is taken stays as it is. */
export interface PublishingStore extends ObjectStore {
  /** Undefined when there is no such object. */
  head(key: string, options?: Cancellable): Promise<PublishedObject | undefined>;
  /** Streams a local file. Answers false, and changes nothing, when the key is taken. */
  putFile(key: string, path: string, options: PutFile): Promise<boolean>;
  /** Answers false, and changes nothing, when the key is taken. */
  putText(key: string, text: string, options?: Cancellable): Promise<boolean>;
}

/** What removing a version needs besides. */
export interface RemovingStore extends ObjectStore {
  /** One that is not there is no failure. */
  delete(key: string, options?: Cancellable): Promise<void>;
}

/** Remembers, beyond the process's end, which upload of a file was begun, so that the next attempt goes on with it. */
export interface UploadJournal {
  /** The upload's id; undefined when none was begun of this content under this key. */
  find(upload: NamedUpload): Promise<string | undefined>;
  begun(upload: NamedUpload, id: string): Promise<void>;
  ended(upload: NamedUpload): Promise<void>;
}

export interface NamedUpload {
  readonly key: string;
  /** Of the file, lower case hex. */
  readonly sha256: string;
}
