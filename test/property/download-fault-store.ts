import { createHash } from 'node:crypto';
import { ObjectChangedError, ObjectNotFoundError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import type { Listing, ObjectStore, RangeRequest, RangeResponse } from '../../shared/repository/object-store.ts';

/** What happens to one request. `after` is in bytes of the answer's body. */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'cut'; readonly after: number }
  | { readonly kind: 'reset'; readonly after: number }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'replaced' }
  | { readonly kind: 'stall'; readonly after: number }
  | { readonly kind: 'kill'; readonly after: number }
  | { readonly kind: 'freeze'; readonly after: number };

/** Objects in memory, and a fault for each request as long as there are any. */
export class FaultStore implements ObjectStore {
  readonly objects = new Map<string, { bytes: Buffer; etag: string }>();
  faults: Fault[] = [];
  requests = 0;
  /** The first byte of each range that was asked for. */
  readonly starts: number[] = [];
  renewals = 0;
  /** Of all answers together. */
  bytesSent = 0;
  /** Called when a `kill` fault is met; the store never answers after it. */
  onKill: () => void = () => undefined;
  /** Called when a `freeze` fault is met; the answer under way brings nothing after it. */
  onFreeze: () => void = () => undefined;
  /** Called when an answer has been chosen and before its body is sent. */
  onAnswer: () => void = () => undefined;
  readonly #chunkBytes: number;
  #replacements = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  put(key: string, bytes: Buffer): void {
    this.#replacements += 1;
    this.objects.set(key, { bytes, etag: `"${this.#replacements}"` });
  }

  async getRange(key: string, request: RangeRequest): Promise<RangeResponse> {
    this.requests += 1;
    this.starts.push(request.start);
    // S3 takes it for another request.
    if (request.start >= request.end) throw new RangeError('a range of no bytes was asked for');
    await turn();
    request.signal?.throwIfAborted();
    const fault = this.faults.shift() ?? { kind: 'none' };
    if (fault.kind === 'unavailable') {
      throw new StoreUnavailableError('503');
    }
    const object = this.objects.get(key);
    if (object === undefined) {
      throw new ObjectNotFoundError('404');
    }
    if (fault.kind === 'replaced') {
      this.put(key, object.bytes);
    }
    const { bytes, etag } = this.objects.get(key) ?? object;
    if (request.ifMatch !== undefined && request.ifMatch !== etag) {
      throw new ObjectChangedError('412');
    }
    const range = bytes.subarray(request.start, request.end);
    const body = fault.kind === 'too-long' ? Buffer.concat([range, Buffer.from('too much')]) : range;
    this.onAnswer();
    return { etag, totalSize: bytes.length, chunks: this.#send(body, fault, request.signal) };
  }

  getText(): Promise<string> {
    return Promise.reject(new ObjectNotFoundError('404'));
  }

  list(): Promise<Listing> {
    return Promise.resolve({ objects: [], folders: [] });
  }

  renewConnections(): void {
    this.renewals += 1;
  }

  async *#send(body: Buffer, fault: Fault, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const limit = 'after' in fault ? Math.min(fault.after, body.length) : body.length;
    for (let at = 0; at < limit; at += this.#chunkBytes) {
      await turn();
      signal?.throwIfAborted();
      const chunk = body.subarray(at, Math.min(at + this.#chunkBytes, limit));
      this.bytesSent += chunk.length;
      yield chunk;
    }
    switch (fault.kind) {
      case 'reset':
        throw new StoreUnavailableError('ECONNRESET');
      case 'kill':
        this.onKill();
        await untilAborted(signal);
        break;
      case 'freeze':
        this.onFreeze();
        await untilAborted(signal);
        break;
      case 'stall':
        await untilAborted(signal);
        break;
      default:
        break;
    }
  }
}

/** A manifest of these files. */
export function manifestOf(files: Readonly<Record<string, Buffer>>, version = '1.0.0', id = 'toy'): Manifest {
  return {
    schema: 1,
    id,
    version,
    task: 'language-detection',
    engine: 'onnxruntime-web',
    graphs: 'exported',
    languages: ['en'],
    files: Object.entries(files).map(([path, bytes]) => ({
      path,
      size: bytes.length,
      sha256: sha256(bytes),
      role: 'other',
    })),
    memory: { peakMb: 1, residentMb: 1 },
    licence: 'CC0-1.0',
    source: 'test',
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
    }
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
