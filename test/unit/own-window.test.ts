import { describe, expect, it } from 'vitest';
import { OwnWindow } from '../../shared/fleet/breaker/own-window.ts';

/** Outcomes of calls, one character each: g good, b failed, s slow; a second apart, or as told. */
function windowOf(outcomes: string, { everyMs = 1_000, window = new OwnWindow() } = {}) {
  let now = 0;
  for (const outcome of outcomes) {
    now += everyMs;
    window.tick(now);
    if (outcome === 'g') window.succeeded();
    else window.bad(now, { failed: outcome === 'b', slow: outcome === 's' });
  }
  return { window, now };
}

const shows = (outcomes: string, everyMs?: number, isOpen = false) => {
  const { window, now } = windowOf(outcomes, everyMs === undefined ? {} : { everyMs });
  return window.showsFailure(now, isOpen);
};

describe("an instance's own calls show failure", () => {
  it.each(['b', 'bb', 'gb', 'bg', 'ggbb', 'ggggbbbb', 's', 'ss'])('when they were %s', (outcomes) => {
    expect(shows(outcomes)).toBe(true);
  });

  it.each(['', 'g', 'ggb', 'gggb', 'bggg', 'ggggggbb', 'sgg'])('not when they were "%s"', (outcomes) => {
    expect(shows(outcomes)).toBe(false);
  });

  it('not by one bad call after good ones, however long ago those were', () => {
    expect(shows('gggb', 60_000)).toBe(false);
    expect(shows('gggbb', 60_000)).toBe(false);
    expect(shows('gggbbb', 60_000)).toBe(true);
  });

  it('by the last calls alone, where they are many: what failed long ago is over', () => {
    expect(shows(`${'b'.repeat(50)}${'g'.repeat(50)}bb`, 100)).toBe(false);
  });

  it('when its own breaker has opened, for half a minute after the last bad call', () => {
    const { window, now } = windowOf('ggggb');
    expect(window.showsFailure(now + 29_999, true)).toBe(true);
    expect(window.showsFailure(now + 30_000, true)).toBe(false);
  });

  it('no more half a minute after the last bad call', () => {
    const { window, now } = windowOf('b');
    expect(window.showsFailure(now + 9_000, false)).toBe(true);
    expect(window.showsFailure(now + 30_000, false)).toBe(false);
  });
});

describe('bad calls', () => {
  it('are those of the last ten seconds', () => {
    const { window, now } = windowOf('bgbgb');
    expect(window.badCalls(now)).toBe(3);
    expect(window.badCalls(now + 20_000)).toBe(1);
  });

  it('are those in a row, if they are more, whatever their age', () => {
    const { window, now } = windowOf('bbb', { everyMs: 60_000 });
    expect(window.badCalls(now)).toBe(3);
  });
});
