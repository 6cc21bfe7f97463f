import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestKey, wishCount } from '../../shared/fleet/breaker/digest-entry.ts';
import { WishKeeper } from '../../shared/fleet/wishes/wish-keeper.ts';
import {
  announceWish,
  toWish,
  type Want,
  type WishRecord,
  wishKey,
  wishSeq,
} from '../../shared/fleet/wishes/wish-record.ts';
import { setWish } from '../../shared/fleet/wishes/wish-writer.ts';
import { type Fate, UnreliableTable } from '../support/unreliable-table.ts';

const wants: fc.Arbitrary<Want> = fc.constantFrom('loaded', 'unloaded', 'pinned');
const fates: fc.Arbitrary<Fate> = fc.constantFrom(
  'answered',
  'answered',
  'answered',
  'request lost',
  'answer lost',
  'late',
);

const event = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('wish' as const), operator: fc.constantFrom('ann', 'bob'), want: wants }),
  },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('settle' as const), which: fc.nat(7), fate: fates }) },
  { weight: 1, arbitrary: fc.constant({ type: 'late' } as const) },
  { weight: 2, arbitrary: fc.constant({ type: 'look' } as const) },
);

describe('two operators who wish at the same time, over a store that loses and delays', () => {
  it('make one order of wishes, whose last one is carried out', async () => {
    const seen = { raced: 0, failed: 0, repeated: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 60 }), async (events) => {
        const table = new UnreliableTable();
        const clock = { now: () => 1_700_000_000_000 };
        const register = () => table.virtual.read(wishKey('m')).item;
        const acknowledged: WishRecord[] = [];
        const carriedOut: (Want | undefined)[] = [];
        const keeper = new WishKeeper({ table, clock, carryOut: (_, want) => void carriedOut.push(want) });
        const look = () => keeper.seen(wishCount(table.virtual.read(digestKey).item));
        let seq = 0;
        let requests = 0;
        let underWay = 0;
        const step = async () => {
          await setImmediate();
          const now = wishSeq(register());
          // Never back, and never two wishes at once.
          expect(now - seq === 0 || now - seq === 1).toBe(true);
          seq = now;
        };

        for (const each of events) {
          switch (each.type) {
            case 'wish': {
              requests += 1;
              underWay += 1;
              if (underWay > 1) seen.raced += 1;
              const { operator: by, want } = each;
              setWish({ table, clock }, { model: 'm', want, by, request: `r${requests}` })
                .then(({ record }) => acknowledged.push(record))
                .catch(() => {
                  seen.failed += 1;
                })
                .finally(() => {
                  underWay -= 1;
                });
              break;
            }
            case 'settle':
              table.settle(each.which, each.fate);
              break;
            case 'late':
              table.deliverLate();
              break;
            case 'look':
              look();
              break;
          }
          await step();
        }
        while (table.outstanding > 0) {
          table.settle(0, 'answered');
          await step();
        }
        table.deliverLate();

        expect(acknowledged.map((record) => record.seq)).toEqual([
          ...new Set(acknowledged.map((record) => record.seq)),
        ]);
        const last = toWish(register());
        const lastAcknowledged = acknowledged.toSorted((a, b) => b.seq - a.seq)[0];
        if (last === undefined) {
          expect(acknowledged).toEqual([]);
          return;
        }
        if (seq > requests) seen.repeated += 1;
        // What stands after the last acknowledged wish is one whose operator heard that it may stand.
        expect(last.seq).toBeGreaterThanOrEqual(lastAcknowledged?.seq ?? 0);
        if (last.seq === lastAcknowledged?.seq) expect(last).toEqual(lastAcknowledged);
        else expect(acknowledged.map(({ request }) => request)).not.toContain(last.request);

        // The monitor's part, if an announcement was lost.
        table.virtual.apply(announceWish);
        look();
        while (table.outstanding > 0) table.settle(0, 'answered');
        expect(carriedOut.at(-1)).toBe(last.want);
        expect(keeper.carriedOut.get('m')).toBe(last.seq);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.raced, seen.failed)).toBeGreaterThan(10);
  });
});
