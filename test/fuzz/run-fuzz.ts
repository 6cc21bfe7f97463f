import fc from 'fast-check';
import type { FuzzedService } from './fuzzed-service.ts';
import { asRawCommand, type RawExchange, rawExchanges } from './raw-exchanges.ts';
import { asCommand, type FuzzedRequest, MARKER, requests } from './requests.ts';
import { wrongsOf, wrongsOfRaw } from './wrongs.ts';

/** Asked at the same time. */
const TOGETHER = 12;
const RAW_TOGETHER = 2;
const SHRINK_MS = 5 * 60_000;

/** What has been asked, and answered with which statuses. */
export interface Tally {
  asked: number;
  /** Of these, how many had a user's text in them that can be looked for. */
  marked: number;
  readonly statuses: Map<number, number>;
}

/** `FUZZ_SEED`, and otherwise what is given. A failure tells its seed and path as well. */
export function seedOr(other: number): number {
  const given = process.env['FUZZ_SEED'];
  return given === undefined ? other : Number(given);
}

/**
 * Asks for so many batches, each of its requests at the same time.
 * @throws with the smallest batch that is answered wrongly, as shell commands, and what to set to have it again
 */
export async function fuzz(service: FuzzedService, batches: number, seed: number, tally: Tally): Promise<void> {
  const batch = fc.tuple(
    fc.array(requests, { minLength: 1, maxLength: TOGETHER, size: 'max' }),
    fc.array(rawExchanges, { maxLength: RAW_TOGETHER, size: 'max' }),
  );
  const property = fc.asyncProperty(batch, async ([asked, raw]) => {
    tally.asked += asked.length + raw.length;
    tally.marked += asked.filter(({ body }) => body?.includes(MARKER)).length;
    const found = await Promise.all([
      ...asked.map((request) => wrongsWith(service, request, tally)),
      ...raw.map((one) => wrongsWithRaw(service, one)),
    ]);
    if (found.flat().length > 0) throw new Error(found.flat().join('\n'));
  });
  const { failed, counterexample, errorInstance, counterexamplePath } = await fc.check(property, {
    seed,
    numRuns: batches,
    // What it has shrunk to by then will do.
    interruptAfterTimeLimit: SHRINK_MS,
  });
  if (!failed) return;
  const [[asked, raw]] = counterexample ?? [[[], []]];
  const commands = [...asked.map(asCommand), ...raw.map(asRawCommand)];
  throw new Error(
    [`FUZZ_SEED=${seed} (path ${counterexamplePath}):`, ...commands, String((errorInstance as Error).message)].join(
      '\n',
    ),
  );
}

async function wrongsWith(service: FuzzedService, request: FuzzedRequest, { statuses }: Tally) {
  const name = `${request.method} ${request.target.slice(0, 100)}`;
  try {
    const answer = await service.ask(request);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    return (await wrongsOf(request, answer)).map((wrong) => `${name}: ${wrong}`);
  } catch (error) {
    return [`${name}: ${error}`];
  }
}

async function wrongsWithRaw(service: FuzzedService, raw: RawExchange) {
  try {
    return wrongsOfRaw(await service.exchange(raw));
  } catch (error) {
    return [String(error)];
  }
}
