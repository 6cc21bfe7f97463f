import { describe, expect, it } from 'vitest';
import { createApiKey, hashOfKey, isApiKey } from '../../shared/fleet/keys/api-key.ts';
import { addKey, toKeyRecord } from '../../shared/fleet/keys/key-record.ts';
import { KeyStage, keyRecord, numberedKey } from '../support/key-stage.ts';
import { VirtualTable } from '../support/virtual-table.ts';

const key = numberedKey(1);
const MINUTE = 60_000;

describe('a key', () => {
  it('has 192 random bits in letters and digits, all of which count', () => {
    const made = new Set(Array.from({ length: 100 }, () => createApiKey()));

    expect(made.size).toBe(100);
    for (const one of made) expect(one).toMatch(/^cslg_[0-9A-Za-z]{33}$/);
    expect(createApiKey((bytes) => new Uint8Array(bytes).fill(255))).toMatch(/^cslg_[1-9A-Za-z]/);
    expect(createApiKey((bytes) => new Uint8Array(bytes))).toBe(`cslg_${'0'.repeat(33)}`);
  });

  it('is kept as its hash, and as nothing that it could be told from', () => {
    const { changes, key: address } = addKey(keyRecord(key));
    const kept = JSON.stringify({ changes, address });

    expect(kept).toContain(hashOfKey(key));
    for (let at = 'cslg_'.length; at + 6 <= key.length; at++) expect(kept).not.toContain(key.slice(at, at + 6));
  });

  it.each(['', 'cslg_', 'cslg_short', `${key}x`, ` ${key}`, key.toUpperCase(), 'eyJhbGciOi.J9.x'])(
    'is none, and nobody is asked about it: %j',
    async (text) => {
      const stage = new KeyStage();
      expect(isApiKey(text)).toBe(false);
      expect(await stage.kindOf(text)).toBe('invalid');
      expect(stage.reads).toBe(0);
    },
  );

  it('comes back from the table as it was put there', () => {
    const table = new VirtualTable();
    const records = [
      keyRecord(key),
      keyRecord(numberedKey(2), {
        scopes: ['admin', 'read'],
        limits: { charactersPerMinute: 5, requestsPerMinute: 7 },
        until: 9,
        isDisabled: true,
      }),
    ];
    for (const record of records) {
      const update = addKey(record);
      table.apply(update);
      const back = toKeyRecord(table.read(update.key).item);
      expect({ ...back, scopes: new Set(back?.scopes) }).toEqual({ ...record, scopes: new Set(record.scopes) });
      // It is never put over one that is there.
      expect(table.apply(addKey({ ...record, name: 'another' })).kind).toBe('refused');
    }
  });

  it('allows nothing by a scope of another version of this project', () => {
    const item = { sha256: hashOfKey(key), name: 'x', scopes: new Set(['infer', 'everything']) };
    expect(toKeyRecord(item)?.scopes).toEqual(['infer']);
  });
});

describe('a key that is looked up', () => {
  it('is who it is, with what it may do and its own limits', async () => {
    const stage = new KeyStage();
    stage.add(key, { name: 'housing', scopes: ['infer', 'read'], limits: { requestsPerMinute: 3 } });

    expect(await stage.lookUp(key)).toEqual({
      kind: 'valid',
      subject: 'housing',
      scopes: ['infer', 'read'],
      limits: { requestsPerMinute: 3 },
    });
  });

  it('is read once in a minute, however often it is shown', async () => {
    const stage = new KeyStage();
    stage.add(key);
    for (let second = 0; second < 120; second++) {
      expect(await stage.kindOf(key)).toBe('valid');
      stage.pass(1_000);
    }
    expect(stage.reads).toBe(2);
  });

  it('is waited for longer when nothing is known of it, or nothing that is good enough', async () => {
    const stage = new KeyStage();
    stage.add(key);

    await stage.lookUp(key);
    expect(stage).toMatchObject({ reads: 1, needed: 1 });
    stage.pass(15 * MINUTE - 1);
    await stage.lookUp(key);
    expect(stage).toMatchObject({ reads: 2, needed: 1 });
    stage.pass(15 * MINUTE);
    await stage.lookUp(key);
    expect(stage).toMatchObject({ reads: 3, needed: 2 });
  });

  it('is read once for all who show it at the same time', async () => {
    const stage = new KeyStage();
    stage.add(key);
    const asked = Array.from({ length: 5 }, () => stage.keys.lookUp(key, { asksForStrangers: true }));
    stage.answer();

    expect(new Set((await Promise.all(asked)).map(({ kind }) => kind))).toEqual(new Set(['valid']));
    expect(stage.reads).toBe(1);
    // What was asked is over: the next question is another.
    stage.pass(MINUTE);
    expect(await stage.kindOf(key)).toBe('valid');
    expect(stage.reads).toBe(2);
  });

  it('is refused within a minute of being disabled, and serves within one of being enabled', async () => {
    const stage = new KeyStage();
    stage.add(key);
    await stage.lookUp(key);
    stage.disable(key);
    stage.pass(MINUTE - 1);
    expect(await stage.kindOf(key)).toBe('valid');
    stage.pass(1);
    expect(await stage.kindOf(key)).toBe('invalid');
    stage.disable(key, false);
    stage.pass(MINUTE);
    expect(await stage.kindOf(key)).toBe('valid');
  });

  it('is refused from the moment at which its time is over, whatever was read before', async () => {
    const stage = new KeyStage();
    stage.add(key, { until: stage.now + 1_000 });
    expect(await stage.kindOf(key)).toBe('valid');
    stage.pass(999);
    expect(await stage.kindOf(key)).toBe('valid');
    stage.pass(1);
    expect(await stage.kindOf(key)).toBe('invalid');
  });

  it('is refused when what is found is of another key', async () => {
    const stage = new KeyStage();
    const other = numberedKey(2);
    stage.add(other);
    stage.shows = () => stage.itemOf({ pk: `KEY#${hashOfKey(other)}`, sk: 'KEY' });
    expect(await stage.kindOf(key)).toBe('invalid');
    expect(await stage.kindOf(other)).toBe('valid');
  });

  it('is old, not immortal, when the clock was set back', async () => {
    const stage = new KeyStage();
    stage.add(key);
    await stage.lookUp(key);
    stage.disable(key);
    stage.pass(-3_600_000);
    expect(await stage.kindOf(key)).toBe('invalid');
  });
});

describe('a key that nobody has made', () => {
  it('is asked for once in ten seconds, so that one that is made then serves soon', async () => {
    const stage = new KeyStage();
    for (let tries = 0; tries < 10; tries++) expect(await stage.kindOf(key)).toBe('invalid');
    expect(stage.reads).toBe(1);
    stage.add(key);
    stage.pass(9_999);
    expect(await stage.kindOf(key)).toBe('invalid');
    stage.pass(1);
    expect(await stage.kindOf(key)).toBe('valid');
  });

  it('is not asked for where strangers are too many, while those seen before are', async () => {
    const stage = new KeyStage();
    const known = numberedKey(2);
    stage.add(key);
    stage.add(known);
    await stage.lookUp(known);
    stage.pass(2 * MINUTE);

    expect(await stage.kindOf(key, false)).toBe('stranger');
    expect(stage.reads).toBe(1);
    expect(await stage.kindOf(known, false)).toBe('valid');
  });

  it('makes nothing be forgotten, and takes no memory without end, in a flood of others', async () => {
    const stage = new KeyStage();
    stage.add(key);
    await stage.lookUp(key);
    for (let n = 0; n < 6_000; n++) await stage.lookUp(numberedKey(n + 10));
    stage.reads = 0;

    expect(await stage.kindOf(key)).toBe('valid');
    expect(stage.reads).toBe(0);
    // The first of them are forgotten.
    await stage.lookUp(numberedKey(10));
    expect(stage.reads).toBe(1);
  });
});

describe('while the store is away', () => {
  const known = async (stage = new KeyStage()) => {
    stage.add(key);
    await stage.lookUp(key);
    stage.isAway = true;
    return stage;
  };

  it('a key that was known serves for a quarter of an hour', async () => {
    const stage = await known();
    stage.pass(15 * MINUTE - 1);
    expect(await stage.kindOf(key)).toBe('valid');
    stage.pass(1);
    expect(await stage.kindOf(key)).toBe('unknowable');
  });

  it('one that was disabled when it was read last serves nobody', async () => {
    const stage = new KeyStage();
    stage.add(key, { isDisabled: true });
    await stage.lookUp(key);
    stage.isAway = true;
    stage.pass(MINUTE);
    expect(await stage.kindOf(key)).toBe('invalid');
  });

  it('one that was removed before is nobody’s, however well it was known', async () => {
    const stage = new KeyStage();
    stage.add(key);
    await stage.lookUp(key);
    stage.shows = () => undefined;
    stage.pass(MINUTE);
    expect(await stage.kindOf(key)).toBe('invalid');
    stage.isAway = true;
    stage.pass(MINUTE);
    expect(await stage.kindOf(key)).toBe('unknowable');
  });

  it('the store is asked again only now and then', async () => {
    const stage = await known();
    stage.pass(MINUTE);
    stage.reads = 0;
    for (let tries = 0; tries < 10; tries++) expect(await stage.kindOf(key)).toBe('valid');
    expect(stage.reads).toBe(1);
    stage.pass(2_000);
    await stage.lookUp(key);
    expect(stage.reads).toBe(2);
  });

  it('what is known gets no older by being asked for in vain', async () => {
    const stage = await known();
    for (let second = 0; second < 15 * 60; second++) {
      expect(await stage.kindOf(key)).toBe('valid');
      stage.pass(1_000);
    }
    expect(await stage.kindOf(key)).toBe('unknowable');
  });

  it('a key that was never seen here is not known, and is when the store is back', async () => {
    const stage = new KeyStage();
    stage.add(key);
    stage.isAway = true;
    expect(await stage.kindOf(key)).toBe('unknowable');
    stage.isAway = false;
    expect(await stage.kindOf(key)).toBe('valid');
  });
});
