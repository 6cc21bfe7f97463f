import { PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { systemClock } from '../../repository/clock.ts';
import { ObjectChangedError, ObjectNotFoundError } from '../../repository/errors.ts';
import { mapS3Error } from '../../repository/s3-errors.ts';
import { abortable, createS3Client, S3ObjectStore } from '../../repository/s3-object-store.ts';
import { type FleetMemory, fleetMemorySchema, MEMORY_PREFIX, memoryKey } from './fleet-memory.ts';
import type { MemoryHistory } from './memory-history.ts';

/** Objects that are read at once. */
const READS_AT_ONCE = 16;
/** After a longer silence connections are not relied upon. */
const CONNECTED_MS = 5_000;
/** A day of them. */
const KEPT = 288;

/** The history in the bucket of the models, by the usual AWS environment. */
export function createS3MemoryHistory(bucket: string): MemoryHistory {
  return new S3MemoryHistory(createS3Client(), bucket);
}

/** One object for each snapshot, below `metrics/`. None is ever written twice, so what was read once is known. */
export class S3MemoryHistory implements MemoryHistory {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #store: S3ObjectStore;
  readonly #known = new LRUCache<string, FleetMemory>({ max: KEPT });

  readonly #clock: { now(): number };
  #answeredAt = Number.NEGATIVE_INFINITY;
  #underWay = 0;

  constructor(client: S3Client, bucket: string, clock: { now(): number } = systemClock) {
    this.#clock = clock;
    this.#client = client;
    this.#bucket = bucket;
    this.#store = new S3ObjectStore(client, bucket);
  }

  write(slot: number, memory: FleetMemory, options: { signal?: AbortSignal } = {}): Promise<boolean> {
    return this.#overLiveConnections(() => this.#put(slot, memory, options));
  }

  readFrom(slot: number, options: { signal?: AbortSignal } = {}): Promise<readonly FleetMemory[]> {
    return this.#overLiveConnections(() => this.#get(slot, options));
  }

  /** Whoever has been silent may have been frozen: its connections are dead and would keep the call waiting. */
  async #overLiveConnections<T>(call: () => Promise<T>): Promise<T> {
    if (this.#underWay === 0 && Math.abs(this.#clock.now() - this.#answeredAt) > CONNECTED_MS) {
      this.#store.renewConnections();
    }
    this.#underWay++;
    try {
      const answer = await call();
      this.#answeredAt = this.#clock.now();
      return answer;
    } finally {
      this.#underWay--;
    }
  }

  async #put(slot: number, memory: FleetMemory, options: { signal?: AbortSignal }): Promise<boolean> {
    const key = memoryKey(slot);
    try {
      await this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: key,
          Body: JSON.stringify(memory),
          IfNoneMatch: '*',
          ContentType: 'application/json; charset=utf-8',
        }),
        abortable(options),
      );
      return true;
    } catch (thrown) {
      const error = mapS3Error(thrown, `PUT ${key}`, options.signal);
      if (error instanceof ObjectChangedError) return false;
      throw error;
    }
  }

  async #get(slot: number, options: { signal?: AbortSignal }): Promise<readonly FleetMemory[]> {
    const limit = pLimit(READS_AT_ONCE);
    const keys = await this.#keysFrom(slot, options);
    const read = await Promise.all(keys.map((key) => limit(() => this.#read(key, options))));
    return read.filter((memory) => memory !== undefined);
  }

  async #keysFrom(slot: number, options: { signal?: AbortSignal }): Promise<readonly string[]> {
    try {
      const pages = paginateListObjectsV2(
        { client: this.#client },
        // After the last moment before the slot.
        { Bucket: this.#bucket, Prefix: MEMORY_PREFIX, StartAfter: memoryKey(slot - 1) },
        abortable(options),
      );
      const keys: string[] = [];
      for await (const { Contents = [] } of pages) keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
      return keys;
    } catch (thrown) {
      throw mapS3Error(thrown, `LIST ${MEMORY_PREFIX}`, options.signal);
    }
  }

  async #read(key: string, options: { signal?: AbortSignal }): Promise<FleetMemory | undefined> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const memory = parse(await this.#textOf(key, options));
    if (memory !== undefined) this.#known.set(key, memory);
    return memory;
  }

  /** Undefined when its time was over in this moment. */
  async #textOf(key: string, options: { signal?: AbortSignal }): Promise<string | undefined> {
    try {
      return await this.#store.getText(key, options);
    } catch (thrown) {
      if (thrown instanceof ObjectNotFoundError) return undefined;
      throw thrown;
    }
  }
}

/** Undefined for what another version of this project wrote in another way. */
function parse(text: string | undefined): FleetMemory | undefined {
  if (text === undefined) return undefined;
  try {
    return fleetMemorySchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
