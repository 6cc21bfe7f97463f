import * as z from 'zod/mini';
import { type FleetMemory, SLOT_MS, slotOf } from '../../shared/fleet/memory/fleet-memory.ts';
import type { MemoryHistory } from '../../shared/fleet/memory/memory-history.ts';
import { BadRequestError } from '../../shared/http/errors.ts';
import { StoreUnavailableError } from '../../shared/repository/errors.ts';

/** Four hours, and a day. */
const USUAL = 48;
const MOST = 288;
/** The model store may take so long; nobody's text waits for it. */
const READ_MS = 5_000;

const form = `limit must be a whole number from 1 to ${MOST}`;
const limitSchema = z._default(
  z.coerce.number().check(z.refine((limit) => Number.isInteger(limit) && limit >= 1 && limit <= MOST)),
  USUAL,
);

/** Of the last slots, as many as are asked for; the oldest first. Rejects with StoreUnavailableError or StoreRefusedError. */
export type ReadMemoryHistory = (limit: number) => Promise<readonly FleetMemory[]>;

export function createReadMemoryHistory(
  history: Pick<MemoryHistory, 'readFrom'>,
  clock: { now(): number },
  abortedAfter: (ms: number) => AbortSignal = AbortSignal.timeout,
): ReadMemoryHistory {
  return async (limit) => {
    const signal = abortedAfter(READ_MS);
    try {
      return await history.readFrom(slotOf(clock.now()) - (limit - 1) * SLOT_MS, { signal });
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      throw new StoreUnavailableError('the model store did not answer in time', { cause: thrown });
    }
  };
}

/** `?limit=` of a request. @throws BadRequestError */
export function limitOf(query: string | undefined): number {
  const parsed = limitSchema.safeParse(query);
  if (!parsed.success) throw new BadRequestError(form);
  return parsed.data;
}
