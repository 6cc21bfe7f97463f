import { describe, expect, it } from 'vitest';
import { remainingMs } from '../../shared/http/deadline.ts';
import { untilAborted } from '../../shared/until-aborted.ts';

const now = 1_000_000;
const invocation = (ms: number) => ({ lambdaContext: { awsRequestId: 'r', getRemainingTimeInMillis: () => ms } });

describe('the time that a request has', () => {
  it.each([
    ['no end where nobody sets one', {}, Number.POSITIVE_INFINITY],
    ["the caller's milliseconds", { deadlineHeader: '1500' }, 1500],
    ["the caller's preference", { preferHeader: 'wait=3' }, 3000],
    ['the preference among others', { preferHeader: 'respond-async, wait = 10' }, 10_000],
    ['no end for a preference that is none', { preferHeader: 'wait=soon, await=3' }, Number.POSITIVE_INFINITY],
    ['28 s from when the gateway received it', { bindings: { requestContext: { timeEpoch: now - 8_000 } } }, 20_000],
    ['what the invocation has left, less a second', { bindings: invocation(5_000) }, 4_000],
    ['the least of all', { deadlineHeader: '900', preferHeader: 'wait=1', bindings: invocation(9_000) }, 900],
    [
      'over when the gateway has waited too long',
      { bindings: { requestContext: { timeEpoch: now - 30_000 } } },
      -2_000,
    ],
  ])('is %s', (_, hints, expected) => {
    expect(remainingMs(hints, now)).toBe(expected);
  });

  it.each(['', '-1', '1.5', 'soon', '1e3'])('cannot be %j', (deadlineHeader) => {
    expect(() => remainingMs({ deadlineHeader }, now)).toThrow('X-Request-Deadline-Ms is not a number of milliseconds');
  });
});

describe('waiting until a signal', () => {
  it('gives what the promise comes to', async () => {
    await expect(untilAborted(Promise.resolve('done'), new AbortController().signal)).resolves.toBe('done');
  });

  it('fails as the promise fails', async () => {
    await expect(untilAborted(Promise.reject(new Error('own')), new AbortController().signal)).rejects.toThrow('own');
  });

  it("gives up with the signal's reason", async () => {
    const controller = new AbortController();
    const waiting = untilAborted(new Promise<never>(() => {}), controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('does not begin to wait after the signal', async () => {
    await expect(untilAborted(Promise.resolve('done'), AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
  });
});
