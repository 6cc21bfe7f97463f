import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FuzzedService, startFuzzedService } from './fuzzed-service.ts';
import { fuzz, seedOr, type Tally } from './run-fuzz.ts';

describe('whatever is asked', () => {
  let service: FuzzedService;
  beforeAll(async () => {
    service = await startFuzzedService({ deadlineMs: 1_500 });
  });
  afterAll(() => service?.close());

  it('is answered as described, and leaves nothing behind', async () => {
    const tally: Tally = { asked: 0, marked: 0, statuses: new Map() };

    await fuzz(service, 14, seedOr(1), tally);

    expect(tally.asked).toBeGreaterThan(80);
    expect([...tally.statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404]));
    expect(tally.marked).toBeGreaterThan(tally.asked / 20);
    expect(service.badLines()).toEqual([]);
    expect(await service.held()).toMatchObject({ leases: 0, inFlight: 0, waiting: 0 });
  });
});
