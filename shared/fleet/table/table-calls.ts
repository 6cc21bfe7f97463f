import { messageOf } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import { StoreUnavailableError } from '../../repository/errors.ts';
import { untilAborted } from '../../until-aborted.ts';
import type { FleetTable } from './fleet-table.ts';
import type { TableStore } from './table-store.ts';

export interface TableCallsOptions {
  readonly store: TableStore;
  readonly clock: { now(): number };
  /** Ms for one call. */
  readonly timeoutMs: number;
  /** Ms for one that also pays for the connection, since none has succeeded lately, and for a read that is needed. */
  readonly firstTimeoutMs: number;
  readonly log: Pick<Log, 'error'>;
  /** A signal that is aborted after `ms`; default: by a timer. */
  readonly abortedAfter?: (ms: number) => AbortSignal;
}

/** Since the start. */
export interface TableCounts {
  readonly reads: number;
  readonly writes: number;
  /** Those of both that were not answered. */
  readonly unavailable: number;
  /** Of these, those for another reason than that the store was away. */
  readonly refused: number;
  /** Answers that nobody could do anything with. */
  readonly mishandled: number;
  /** Calls by the name of the update; `READ` and `QUERY` for the others. */
  readonly byName: ReadonlyMap<string, number>;
}

/** The table for the fleet's state machines, over a store that promises. Nothing here throws. */
export interface TableCalls extends FleetTable {
  /** The calls that are out, and those that their answers lead to, if any; never rejects. */
  pending(): Promise<void> | undefined;
  counts(): TableCounts;
}

/** After a longer silence the connection is gone. */
const CONNECTED_MS = 60_000;

/**
 * Gives every call its time, and answers `unavailable` for whatever is thrown: a store that is away is daily life, anything
 * else is logged once. An answer comes in a later step, always.
 */
export function createTableCalls(options: TableCallsOptions): TableCalls {
  const { store, clock, timeoutMs, firstTimeoutMs, log, abortedAfter = AbortSignal.timeout } = options;
  const out = new Set<Promise<void>>();
  const logged = new Set<string>();
  const byName = new Map<string, number>();
  let reads = 0;
  let writes = 0;
  let unavailable = 0;
  let refused = 0;
  let mishandled = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;

  return {
    read(key, done, { isConsistent = false, isNeeded = false } = {}) {
      reads += 1;
      const read = async (signal: AbortSignal) =>
        ({ kind: 'read', item: await store.read(key, { isConsistent, signal }) }) as const;
      send('READ', read, done, isNeeded);
    },
    query(pk, done) {
      reads += 1;
      send('QUERY', async (signal) => ({ kind: 'read', items: await store.query(pk, { signal }) }) as const, done);
    },
    update(update, done) {
      writes += 1;
      send(update.name, (signal) => store.update(update, { signal }), done);
    },
    pending: () => (out.size === 0 ? undefined : settled()),
    counts: () => ({ reads, writes, unavailable, refused, mishandled, byName: new Map(byName) }),
  };

  function send<Answer>(
    name: string,
    call: (signal: AbortSignal) => Promise<Answer>,
    done: (answer: Answer | { readonly kind: 'unavailable' }) => void,
    isNeeded = false,
  ): void {
    byName.set(name, (byName.get(name) ?? 0) + 1);
    const answered = attempt(name, call, isNeeded).then((answer) => {
      try {
        done(answer);
      } catch (thrown) {
        mishandled += 1;
        logOnce('fleet.answer_failed', name, thrown);
      }
      out.delete(answered);
    });
    out.add(answered);
  }

  async function attempt<Answer>(
    name: string,
    call: (signal: AbortSignal) => Promise<Answer>,
    isNeeded: boolean,
  ): Promise<Answer | { readonly kind: 'unavailable' }> {
    const silentMs = clock.now() - answeredAt;
    const isConnected = silentMs >= 0 && silentMs < CONNECTED_MS;
    const signal = abortedAfter(isConnected && !isNeeded ? timeoutMs : firstTimeoutMs);
    try {
      const answer = await untilAborted(call(signal), signal);
      answeredAt = clock.now();
      return answer;
    } catch (thrown) {
      unavailable += 1;
      if (!signal.aborted && !(thrown instanceof StoreUnavailableError)) {
        refused += 1;
        logOnce('fleet.call_failed', name, thrown);
      }
      return { kind: 'unavailable' };
    }
  }

  async function settled(): Promise<void> {
    while (out.size > 0) await Promise.all(out);
  }

  /** The same fault comes with every call. */
  function logOnce(event: string, call: string, thrown: unknown): void {
    const error = messageOf(thrown);
    const line = `${event} ${call} ${error}`;
    if (logged.has(line)) return;
    logged.add(line);
    const cause = thrown instanceof Error && thrown.cause !== undefined ? { cause: messageOf(thrown.cause) } : {};
    log.error(event, { call, error, ...cause });
  }
}
