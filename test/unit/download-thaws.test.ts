import { describe, expect, it } from 'vitest';
import { FileCorruptError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { Thaws, throughThaws } from '../../shared/repository/thaws.ts';

const never = new AbortController().signal;

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

describe('work through thaws', () => {
  it('begins again at a thaw, as often as there is one', async () => {
    const thaws = new Thaws();
    let begun = 0;

    await throughThaws(thaws, never, async (signal) => {
      begun += 1;
      if (begun <= 20) {
        setImmediate(() => thaws.happened());
        await untilAborted(signal);
      }
    });

    expect(begun).toBe(21);
  });

  it('does not mind a connection that was found broken just as the thaw became known', async () => {
    const thaws = new Thaws();
    let begun = 0;

    await throughThaws(thaws, never, async () => {
      begun += 1;
      if (begun === 1) {
        thaws.happened();
        throw new StoreUnavailableError('ECONNRESET');
      }
    });

    expect(begun).toBe(2);
  });

  it('fails as the work fails when nothing was frozen, or when a thaw cannot mend it', async () => {
    const thaws = new Thaws();
    const broken = () => Promise.reject(new StoreUnavailableError('503'));
    const corrupt = async () => {
      thaws.happened();
      throw new FileCorruptError('it has another sha256');
    };

    await expect(throughThaws(thaws, never, broken)).rejects.toThrow('503');
    await expect(throughThaws(thaws, never, corrupt)).rejects.toThrow('another sha256');
  });

  it("ends with the caller's reason, also when it is given at a thaw", async () => {
    const thaws = new Thaws();
    const stop = new AbortController();
    const work = throughThaws(thaws, stop.signal, untilAborted);

    thaws.happened();
    stop.abort(new Error('no longer wanted'));

    await expect(work).rejects.toThrow('no longer wanted');
  });
});
