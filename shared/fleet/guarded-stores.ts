import type { Breaker } from '../breaker/breaker.ts';
import type { Breakers } from '../breaker/breakers.ts';
import { BreakerOpenError } from '../breaker/errors.ts';
import type { Verdict } from '../breaker/evidence.ts';
import { guard } from '../breaker/guard.ts';
import type { CircuitBreakerSettings } from '../config/circuit-breaker.ts';
import { CasaLinguaError } from '../errors.ts';
import { StoreUnavailableError } from '../repository/errors.ts';
import type { ObjectStore } from '../repository/object-store.ts';
import type { Stores } from './stores.ts';

/**
 * A store serves everybody, so it takes more than one bad minute of one caller to open it, and it is asked again soon. Half
 * of ten calls: what the catalog calls in a minute, or one client that tries again and again.
 */
const settings: CircuitBreakerSettings = {
  rule: 'rate',
  failureThreshold: 5,
  resetMs: 10_000,
  windowMs: 30_000,
  minimumCalls: 10,
  failureRatePercent: 50,
  // A call has a time limit of its own, which counts as a failure: slowness alone opens nothing.
  slowCallMs: Number.POSITIVE_INFINITY,
  slowCallRatePercent: 100,
  halfOpenSuccesses: 1,
  probeLeaseMs: 10_000,
  rampMs: 0,
};

/** The same stores, each behind a breaker: while one is away its callers hear so at once, and go on with what they know. */
export function guardStores<Kind extends Stores>(stores: Kind, breakers: Breakers): Kind {
  const s3 = breakers.get('S3', settings);
  const dynamo = breakers.get('DynamoDB', settings);
  const { active, snapshots, table } = stores;
  return {
    ...stores,
    objects: guardObjects(stores.objects, s3),
    active: { read: (ids, options) => ask(dynamo, () => active.read(ids, options), options?.signal) },
    snapshots: {
      write: (snapshot, options) => ask(dynamo, () => snapshots.write(snapshot, options), options?.signal),
      remove: (id, options) => ask(dynamo, () => snapshots.remove(id, options), options?.signal),
      readAll: (options) => ask(dynamo, () => snapshots.readAll(options), options?.signal),
    },
    table: {
      read: (key, options) => ask(dynamo, () => table.read(key, options), options?.signal),
      query: (pk, options) => ask(dynamo, () => table.query(pk, options), options?.signal),
      update: (update, options) => ask(dynamo, () => table.update(update, options), options?.signal),
    },
  };
}

function guardObjects(objects: ObjectStore, breaker: Breaker): ObjectStore {
  return {
    getText: (key, options) => ask(breaker, () => objects.getText(key, options), options?.signal),
    list: (prefix, options) => ask(breaker, () => objects.list(prefix, options), options?.signal),
    getRange: (key, request) => watch(breaker, () => objects.getRange(key, request), request.signal),
    renewConnections: () => objects.renewConnections(),
  };
}

/** @throws StoreUnavailableError with the time of the next try when the breaker refuses, or what the call throws */
async function ask<T>(breaker: Breaker, call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await guard(breaker, call, (thrown) => verdictOfStore(thrown, signal));
  } catch (thrown) {
    if (!(thrown instanceof BreakerOpenError)) throw thrown;
    const { retryAfterSeconds = 1 } = thrown;
    throw new StoreUnavailableError(`${breaker.name} failed too often to be asked now`, {
      retryAfterSeconds,
      cause: thrown,
    });
  }
}

/**
 * A part of a download is made in any case, and counted where it was admitted. A download tries a part again only so often, with pauses:
 * refused at once, it would spend its attempts in a second on a store that is back in the next, and the model's load with it.
 */
async function watch<T>(breaker: Breaker, call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const ticket = breaker.admit();
  if (ticket === undefined) return call();
  const startedAt = breaker.elapsed();
  const settle = (verdict: Verdict) => breaker.settle(ticket, verdict, breaker.elapsed() - startedAt);
  try {
    const result = await call();
    settle('success');
    return result;
  } catch (thrown) {
    // Whoever ends a download, because of a freeze, a stall or its own end, says nothing of the store.
    settle(signal?.aborted ? 'neutral' : verdictOfStore(thrown, signal));
    throw thrown;
  }
}

/** A store that answers is there, whatever it says. */
function verdictOfStore(thrown: unknown, signal: AbortSignal | undefined): Verdict {
  if (thrown instanceof StoreUnavailableError) return 'failure';
  if (thrown instanceof CasaLinguaError) return 'success';
  // A time limit; any other end is the caller's wish.
  const isTimeout = thrown instanceof Error && thrown.name === 'TimeoutError';
  return signal?.aborted && !isTimeout ? 'neutral' : 'failure';
}
