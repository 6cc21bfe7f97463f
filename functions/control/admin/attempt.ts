import { CasaLinguaError } from '../../../shared/errors.ts';

/** What was read, and in words what could not be. */
export interface Attempt<Value> {
  readonly value: Value;
  readonly reasons: readonly string[];
}

/** A reading for people who look at it: a store that does not answer is something to be told, no failure. */
export async function attempt<Value>(
  what: string,
  read: () => Promise<Value>,
  without: Value,
): Promise<Attempt<Value>> {
  try {
    return { value: await read(), reasons: [] };
  } catch (thrown) {
    if (!(thrown instanceof CasaLinguaError)) throw thrown;
    return { value: without, reasons: [`${what} cannot be read: ${thrown.message}`] };
  }
}
