import { beforeAll, test } from 'vitest';
import { expectNothingWrong, expectSoundHistories } from './fleet/expect-sound-histories.ts';
import { playRange } from './fleet/fleet-tally.ts';

beforeAll(() => {
  // Every refusal is an error, whose stack nobody looks at here.
  Error.stackTraceLimit = 0;
});

const histories = 20_000;

test(`breakers that a fleet shares keep every promise in ${histories} histories`, () => {
  expectSoundHistories(playRange({ from: 10_000, count: histories }), histories);
});

test('and so they do in fleets so large that chance draws those who vote', () => {
  const instances = 150;
  expectNothingWrong(playRange({ from: 0, count: 400, instances }), instances);
});
