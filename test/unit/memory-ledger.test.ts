import { describe, expect, test } from 'vitest';
import { MemoryLedger } from '../../shared/host/memory-ledger.ts';
import type { Stay } from '../../shared/host/slot.ts';
import { SlotTable } from '../../shared/host/slot-table.ts';
import { HandMemory } from '../support/hand-memory.ts';
import { type HostChanges, hostSettings } from '../support/host-settings.ts';
import { scriptedManifest } from '../support/scripted-loader.ts';

function createLedger(changes: HostChanges['memoryProtection'] = {}, memory = new HandMemory()) {
  const { memoryProtection } = hostSettings({ memoryProtection: changes });
  return { ledger: new MemoryLedger(memoryProtection, memory), memory };
}

function stayOf(memoryMb: number): Stay {
  const slot = new SlotTable(new Set(), () => undefined).slotOf(scriptedManifest('model'));
  return { slot, memoryMb, isLoading: false, endingSince: undefined, isLost: false };
}

describe('the budget', () => {
  test('is the limit less what is to be kept free and what the process takes itself', () => {
    expect(createLedger().ledger.budgetMb()).toBe(1_000 - 100 - 100);
  });

  test.each([
    ['15 % of a small limit', 2_000, 300],
    ['2048 MB of a large one', 20_000, 2_048],
  ])('keeps %s free when nothing else is said', (_, limitMb, freeMb) => {
    const { ledger, memory } = createLedger({ minimumRequiredMb: undefined });
    memory.limitMb = limitMb;

    expect(ledger.budgetMb()).toBe(limitMb - freeMb - 100);
  });

  test('is never less than nothing', () => {
    const { ledger, memory } = createLedger();
    memory.limitMb = 150;

    expect([ledger.budgetMb(), ledger.largestBudgetMb()]).toEqual([0, 0]);
  });

  test('cannot be told while memory cannot be read', () => {
    const { ledger, memory } = createLedger();
    memory.isReadable = false;

    expect([ledger.budgetMb(), ledger.largestBudgetMb()]).toEqual([undefined, undefined]);
  });

  test('of a process that could not be measured at its start is that of an empty one', () => {
    const memory = new HandMemory();
    memory.isReadable = false;
    const { ledger } = createLedger({}, memory);
    memory.isReadable = true;

    expect(ledger.budgetMb()).toBe(900);
  });
});

describe('what the process takes itself', () => {
  test('is what remains without its models; the least that was seen says what could be at most', () => {
    const { ledger, memory } = createLedger();
    const stay = stayOf(200);
    ledger.add(stay);
    memory.held.set(stay, 200);
    memory.baseMb = 300;
    ledger.observeBase();
    expect([ledger.budgetMb(), ledger.largestBudgetMb()]).toEqual([600, 800]);

    memory.baseMb = 50;
    ledger.observeBase();
    expect([ledger.budgetMb(), ledger.largestBudgetMb()]).toEqual([850, 850]);
  });

  test('is never less than nothing, and stays as it was while memory cannot be read', () => {
    const { ledger, memory } = createLedger();
    ledger.add(stayOf(200));
    ledger.observeBase();
    expect(ledger.budgetMb()).toBe(900);

    memory.isReadable = false;
    memory.baseMb = 500;
    ledger.observeBase();
    memory.isReadable = true;
    expect(ledger.budgetMb()).toBe(900);
  });
});

describe('the reservations', () => {
  test('are the sum of those who are there', () => {
    const { ledger } = createLedger();
    const [first, second] = [stayOf(200), stayOf(30)];
    ledger.add(first);
    ledger.add(second);
    expect([ledger.reservedMb, ledger.has(first)]).toEqual([230, true]);
    second.memoryMb = 50;
    ledger.remove(first);

    expect([ledger.reservedMb, ledger.has(first), [...ledger.stays()]]).toEqual([50, false, [second]]);
  });
});

describe('the watermark', () => {
  test.each([
    ['minds nothing up to it', 950, {}, false],
    ['minds what is above it', 951, {}, true],
    ['minds nothing where protection is disabled', 951, { enabled: false }, false],
  ])('%s', (_, rssMb, changes, expected) => {
    const { ledger, memory } = createLedger(changes);
    memory.baseMb = rssMb;

    expect(ledger.isAboveWatermark()).toBe(expected);
  });

  test('minds nothing that cannot be read', () => {
    const { ledger, memory } = createLedger();
    memory.baseMb = 2_000;
    memory.isReadable = false;

    expect(ledger.isAboveWatermark()).toBe(false);
  });
});

describe('the report', () => {
  test('tells all of it', () => {
    const { ledger } = createLedger();
    ledger.add(stayOf(40));

    expect(ledger.report()).toEqual({ protected: true, limitMb: 1_000, budgetMb: 800, rssMb: 100, reservedMb: 40 });
  });

  test('tells what it can when memory cannot be read', () => {
    const { ledger, memory } = createLedger({ enabled: false });
    memory.isReadable = false;
    const unknown = { limitMb: undefined, budgetMb: undefined, rssMb: undefined };

    expect(ledger.report()).toEqual({ protected: false, ...unknown, reservedMb: 0 });
  });
});
