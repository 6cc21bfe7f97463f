import { expect, it } from 'vitest';
import { authenticateBy } from '../support/callers.ts';
import { snapshotOf } from '../support/fake-fleet.ts';
import { modelStatus } from '../support/fake-host.ts';
import { createTestApp, read } from '../support/inference-app.ts';

const path = '/instance/health';

it('an instance tells of itself', async () => {
  const snapshot = snapshotOf({ models: [modelStatus()] });
  const { status, body } = await read(await createTestApp({ take: () => snapshot }).app.request(path));
  expect(status).toBe(200);
  expect(body).toMatchObject({
    status: 'healthy',
    id: 'instance-1',
    models: [{ name: 'translate-en-es', state: 'READY' }],
    memory: { limit_mb: 3072 },
    reasons: [],
  });
});

it('an instance is degraded by all that keeps it from serving, and says so', async () => {
  const snapshot = snapshotOf({
    models: [modelStatus({ state: 'FAILED', error: { code: 'FILE_CORRUPT', message: 'bad', retryable: false } })],
    host: {
      queue: { size: 8, limit: 8, loading: [] },
      memory: { protected: true, limitMb: undefined, budgetMb: undefined, rssMb: undefined, reservedMb: 0 },
    },
    breakers: [
      { name: 'S3', state: 'OPEN', since: 0, failures: 5 },
      { name: 'DynamoDB', state: 'CLOSED', since: 0, failures: 1 },
    ],
  });
  const { status, body } = await read(await createTestApp({ take: () => snapshot }).app.request(path));
  expect(status).toBe(200);
  expect(body).toMatchObject({
    status: 'degraded',
    reasons: [
      'instance instance-1 cannot read its memory and loads nothing',
      'the load queue of instance instance-1 is full',
      'model translate-en-es@1 FAILED: FILE_CORRUPT, bad',
      'the circuit breaker of S3 is OPEN',
    ],
  });
});

it('an instance tells nobody who may not read', async () => {
  expect((await createTestApp({ authenticate: authenticateBy({}) }).app.request(path)).status).toBe(401);
});
