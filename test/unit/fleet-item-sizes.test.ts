import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { countActive } from '../../shared/fleet/breaker/active-count.ts';
import { digestKey, readEntry } from '../../shared/fleet/breaker/digest-entry.ts';
import { claim, close, force, settleSuccess, trip } from '../../shared/fleet/breaker/digest-steps.ts';
import { MOST_VOTERS } from '../../shared/fleet/breaker/fleet-rules.ts';
import { vote, votersOf, votesKey, voteWindow } from '../../shared/fleet/breaker/vote-record.ts';
import { DynamoInstanceSnapshots } from '../../shared/fleet/dynamo-instance-snapshots.ts';
import type { InstanceSnapshot } from '../../shared/fleet/instance-snapshot.ts';
import { permitKey, readPermits } from '../../shared/fleet/permits/permit-record.ts';
import { acquire } from '../../shared/fleet/permits/permit-steps.ts';
import type { DynamoItem } from '../../shared/fleet/table/dynamo-items.ts';
import type { Key } from '../../shared/fleet/table/fleet-table.ts';
import { announceWish, replaceWish, wishKey } from '../../shared/fleet/wishes/wish-record.ts';
import { snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { dynamoItemBytes, itemBytes } from '../support/item-bytes.ts';
import { VirtualTable } from '../support/virtual-table.ts';

/** The sizes that docs/fleet.md states, of items that the real steps have written; names as long as those of the shipped models. */

const now = 1_790_000_000_000;
const EPOCH = 1_000;
const READ_UNIT = 4_096;
const WRITE_UNIT = 1_024;

/** In the digest: only counted by the monitor; or counted, and in this state after it has tripped often. */
type Life = 'counted' | 'closed' | 'open' | 'probed' | 'forced';

/** The digest of so many breakers, two for each version of a model: before its run and before its load. */
function digestBytes(count: number, life: Life): number {
  const table = new VirtualTable();
  const names = Array.from({ length: count }, (_, i) => {
    const model = `translate-en-${String(i >> 1).padStart(2, '0')}@1.0.0`;
    return i % 2 === 0 ? `translate ${model}` : `load ${model}`;
  });
  const counted = countActive(
    Array.from({ length: 10_000 }, () => names),
    [],
    now,
  );
  if (counted !== undefined) table.apply(counted);
  table.apply(announceWish);
  if (life !== 'counted') for (const name of names) live(table, name, life);
  return bytesOf(table, digestKey);
}

function live(table: VirtualTable, breaker: string, life: Exclude<Life, 'counted'>): void {
  const opening = { now, openMs: 1_980_000, openings: 12 };
  // As if it had tripped as often before.
  table.apply({ ...trip(breaker, { epoch: EPOCH - 1, ...opening }), condition: undefined });
  switch (life) {
    case 'open':
      break;
    case 'probed':
      probe(table, breaker);
      break;
    case 'closed':
      for (let successes = 0; successes < 2; successes++) {
        const held = { epoch: EPOCH, id: probe(table, breaker), successes, openMs: 0, openings: undefined };
        table.apply(settleSuccess(breaker, held, { needed: 2, now }));
      }
      table.apply(close(breaker, { epoch: EPOCH }));
      break;
    case 'forced': {
      const word = { kind: 'FORCED_CLOSED', by: 'operator', why: 'x'.repeat(100), until: now } as const;
      table.apply(force(breaker, word, { epoch: EPOCH, now }));
    }
  }
}

/** @returns the probe's id */
function probe(table: VirtualTable, breaker: string): string {
  const { state } = readEntry(table.read(digestKey).item, breaker);
  if (state.kind !== 'OPEN' && state.kind !== 'HALF_OPEN') throw new Error(`it is ${state.kind}`);
  const id = randomUUID();
  table.apply(claim(breaker, state, { probe: { id, owner: newInstance(), leaseMs: 300_000 }, now }));
  return id;
}

/** As `thisInstance` names them. */
function newInstance(): string {
  return randomBytes(9).toString('base64url');
}

function bytesOf(table: VirtualTable, key: Key): number {
  const { item } = table.read(key);
  if (item === undefined) throw new Error(`there is no item ${key.pk}/${key.sk}`);
  return itemBytes(key, item);
}

/** The item of a snapshot as it is sent. */
async function snapshotItem(snapshot: InstanceSnapshot): Promise<DynamoItem> {
  const client = new DynamoDBClient({ region: 'eu-central-1' });
  let sent: DynamoItem | undefined;
  client.middlewareStack.add(
    () => async (call) => {
      sent = (call.input as { readonly Item?: DynamoItem }).Item;
      return { output: { $metadata: {} }, response: {} };
    },
    { step: 'initialize', priority: 'high' },
  );
  await new DynamoInstanceSnapshots(client, 'casalingua').write(snapshot);
  client.destroy();
  if (sent === undefined) throw new Error('nothing was sent');
  return sent;
}

const model = 'translate-en-es';
const breaker = `translate ${model}@1.0.0`;

/** So many models READY or DOWNLOADING, with all that is known of them, and their breakers asked; the others of 40 UNLOADED. */
function busy(loaded: number, state: 'READY' | 'DOWNLOADING') {
  const usual = { version: '1.0.0', bytesTotal: 209_715_200, memoryMb: 310, attempts: 1 };
  const models = Array.from({ length: 40 }, (_, i) => {
    const id = `translate-en-${i + 10}`;
    if (i >= loaded) return modelStatus({ ...usual, id, state: 'UNLOADED', memoryMb: 0 });
    const times = { startedAt: now - 4_000_000, lastUsedAt: now - 1_000 };
    if (state === 'READY') return modelStatus({ ...usual, ...times, id, state, readyAt: now - 3_900_000, leases: 1 });
    return modelStatus({ ...usual, ...times, id, state, progress: 0.345, bytesLoaded: 123_456_789, secondsLeft: 100 });
  });
  const asked = models.slice(0, loaded).map(({ id }) => `translate ${id}@1.0.0`);
  return snapshotOf({ id: newInstance(), at: now, models, asked, wishes: new Map([[model, 12]]) });
}

/** Of the digest, by life: bytes of 1, 10 and 40 breakers, and how many fit into one read unit; as in docs/fleet.md. */
const digests = [
  ['counted', [84, 600, 2_330], 70],
  ['closed', [180, 1_450, 5_730], 28],
  ['open', [250, 2_190, 8_670], 18],
  ['probed', [320, 2_810, 11_150], 14],
  ['forced', [370, 3_370, 13_390], 12],
] as const;

describe('the fleet keeps small', () => {
  it.each(digests)('the digest of breakers that are %s: of 1, 10 and 40 in %j bytes', (life, most) => {
    const sizes = [1, 10, 40].map((count) => digestBytes(count, life));

    sizes.forEach((size, i) => {
      expect(size).toBeLessThanOrEqual(most[i] ?? 0);
      // Or the documentation says too much.
      expect(size).toBeGreaterThan(0.95 * (most[i] ?? 0));
    });
  });

  it.each(digests)(
    'of breakers that are %s as many in one read unit of the digest as the documentation says',
    (life, _, most) => {
      expect(digestBytes(most, life)).toBeLessThanOrEqual(READ_UNIT);
      expect(digestBytes(most + 1, life)).toBeGreaterThan(READ_UNIT);
    },
  );

  it('all the votes of a window in one write unit, however many would vote', () => {
    const table = new VirtualTable();
    const window = voteWindow(now);

    for (let i = 0; i < 2 * MOST_VOTERS; i++) table.apply(vote(breaker, EPOCH, window, newInstance()));

    const { item } = table.read(votesKey(breaker, EPOCH, window));
    expect(votersOf(item).size).toBe(MOST_VOTERS);
    expect(bytesOf(table, votesKey(breaker, EPOCH, window))).toBeLessThanOrEqual(850);
  });

  it.each([
    [1, 80],
    [22, WRITE_UNIT],
    [64, 2_950],
  ])('%i permits of a model that are all held in %i bytes', (permits, most) => {
    const table = new VirtualTable();
    const key = permitKey(model);

    for (let place = 0; place < permits; place++) {
      const wish = { place, owner: newInstance(), attempt: 'zz', leaseMs: 30_000 };
      table.apply(acquire(model, readPermits(table.read(key).item), wish));
    }

    expect(readPermits(table.read(key).item).slots.size).toBe(permits);
    expect(bytesOf(table, key)).toBeLessThanOrEqual(most);
  });

  it('a wish in 130 bytes', () => {
    const table = new VirtualTable();

    table.apply(
      replaceWish(model, { want: 'unloaded', seq: 1, by: 'operator', at: now, until: now, request: randomUUID() }),
    );

    expect(bytesOf(table, wishKey(model))).toBeLessThanOrEqual(130);
  });

  it.each([
    [3, 'READY'],
    [15, 'READY'],
    [3, 'DOWNLOADING'],
  ] as const)('the snapshot of an instance with %i of 40 models %s in one write unit', async (loaded, state) => {
    expect(dynamoItemBytes(await snapshotItem(busy(loaded, state)))).toBeLessThanOrEqual(WRITE_UNIT);
  });
});

it('docs/fleet.md has these sizes of the digest', () => {
  const docs = readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8');
  const section = docs.slice(docs.indexOf('| The digest, of breakers'), docs.indexOf('| Item '));
  const rows = section.split('\n').flatMap((line) => {
    const numbers = line
      .split('|')
      .slice(2, -1)
      .map((cell) => Number(cell.replaceAll(',', '')));
    return numbers.length === 4 && numbers.every((number) => number > 1) ? [numbers] : [];
  });
  expect(rows).toEqual(digests.map(([, bytes, most]) => [...bytes, most]));
});
