import { describe, expect, it } from 'vitest';
import { makeTrouble } from '../support/local-trouble.ts';

/** Faults of the thread itself; those of files, disk and heap are in `host-faults.full.test.ts`. */
describe('a model', () => {
  const trouble = makeTrouble();

  it('whose worker is killed in session creation is FAILED after its attempts, until a time that health tells', async () => {
    await trouble.serve();
    trouble.failsWith({ at: 'create', what: 'exit' });

    const { status, retryAfter, json } = await trouble.meanwhile(trouble.ask());
    const failed = await trouble.held();
    trouble.bundle.set(undefined);

    expect({ status, code: json['code'] }).toEqual({ status: 503, code: 'MODEL_LOAD_FAILED' });
    expect(retryAfter).toBe('1');
    expect(failed).toMatchObject({
      state: 'FAILED',
      attempts: 2,
      next_try_at: expect.any(String),
      error: { code: 'WORKER_CRASHED', retryable: true },
      memory_mb: 0,
    });
    await trouble.expectRecovery();
  });

  it('whose worker is killed in an inference is UNLOADED; when that happens again, FAILED for a while', async () => {
    await trouble.serve({ CASALINGUA_MODEL_LOADING_RETRY_COOLDOWN_SECONDS: '3' });
    await trouble.ask();
    trouble.failsWith({ at: 'run', what: 'exit' });

    const first = await trouble.meanwhile(trouble.ask());
    const afterFirst = await trouble.held();
    trouble.bundle.set(undefined);
    const between = await trouble.ask();
    trouble.failsWith({ at: 'run', what: 'exit' });
    const second = await trouble.ask();
    const afterSecond = await trouble.held();
    trouble.bundle.set(undefined);
    const tooSoon = await trouble.ask();

    expect([first, between, second, tooSoon].map(({ status }) => status)).toEqual([500, 200, 500, 503]);
    expect([first.json['code'], second.json['code']]).toEqual(['WORKER_CRASHED', 'WORKER_CRASHED']);
    expect(afterFirst).toMatchObject({ state: 'UNLOADED', error: { code: 'WORKER_CRASHED' } });
    expect(afterSecond).toMatchObject({
      state: 'FAILED',
      next_try_at: expect.any(String),
      error: { code: 'WORKER_CRASHED' },
    });
    await trouble.expectRecovery();
  });

  it('whose worker hangs while it loads is given up when its time is over, and the next in the queue loads', async () => {
    await trouble.serve({
      CASALINGUA_MODEL_LOADING_LOAD_TIMEOUT: '5',
      CASALINGUA_MODEL_LOADING_RETRY_MAX_ATTEMPTS: '1',
    });
    trouble.failsWith({ at: 'create', what: 'hang' });

    const [hanging, next] = await trouble.meanwhile(Promise.all([trouble.ask(), trouble.served.translate('es')]));
    const failed = await trouble.held();
    trouble.bundle.set(undefined);

    expect([hanging.status, next.status]).toEqual([503, 200]);
    expect(failed).toMatchObject({
      state: 'FAILED',
      error: { code: 'LOAD_TIMEOUT', retryable: true },
      memory_mb: 0,
    });
    await trouble.expectRecovery();
  });
});
