import { describe, expect, it } from 'vitest';
import { createBreakerClock } from '../../shared/breaker/breaker-clock.ts';
import { Breakers } from '../../shared/breaker/breakers.ts';
import { breakerSettings } from '../support/breaker-settings.ts';
import { HandClock } from '../support/hand-clock.ts';

function stage() {
  const clock = new HandClock();
  let looks = 0;
  const now = () => {
    looks += 1;
    return clock.wall();
  };
  const breakers = new Breakers(createBreakerClock(now), () => {});
  const settings = breakerSettings({ failureThreshold: 1 });
  const get = (name: string, model?: string) => breakers.get(name, settings, model);
  return { breakers, clock, get, looks: () => looks };
}

describe('a breaker before a model', () => {
  it('is named for a minute after calls came to it', () => {
    const { breakers, clock, get } = stage();
    const asked = get('translate a@1', 'a@1');
    get('translate b@1', 'b@1');
    expect(breakers.asked()).toEqual([]);

    asked.admit();
    expect(breakers.asked()).toEqual(['translate a@1']);
    clock.pass(59_999);
    expect(breakers.asked()).toEqual(['translate a@1']);
    clock.pass(1);
    expect(breakers.asked()).toEqual([]);
  });

  it('is named again and again while calls come', () => {
    const { breakers, clock, get } = stage();
    for (let minute = 0; minute < 3; minute++) {
      get('translate a@1', 'a@1').admit();
      breakers.asked();
      clock.pass(50_000);
      expect(breakers.asked()).toEqual(['translate a@1']);
    }
  });

  it('is named for calls that it refuses, that wait for something else first, or that another answers', () => {
    const { breakers, clock, get } = stage();
    const breaker = get('translate a@1', 'a@1');
    const ticket = breaker.admit();
    if (ticket !== undefined) breaker.settle(ticket, 'failure', 0);
    breakers.asked();

    for (const ask of [() => breaker.admit(), () => breaker.refuses(), () => breaker.asked()]) {
      clock.pass(60_000);
      expect(breakers.asked()).toEqual([]);
      ask();
      expect(breakers.asked()).toEqual(['translate a@1']);
    }
  });

  it('that is healthy looks at no clock to be seen', () => {
    const { get, looks } = stage();
    const breaker = get('translate a@1', 'a@1');
    const before = looks();

    for (let call = 0; call < 100; call++) {
      breaker.refuses();
      breaker.admit();
    }

    expect(looks()).toBe(before);
  });
});

it('a breaker before a store is not named: every instance asks it', () => {
  const { breakers, get } = stage();

  get('S3').admit();

  expect(breakers.asked()).toEqual([]);
});
