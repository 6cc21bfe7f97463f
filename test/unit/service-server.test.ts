import { expect, test } from 'vitest';
import { createServiceServer } from '../../infra/local/service-server.ts';

test('a connection outlasts the minute that load balancers keep theirs, so that none is closed under a request', () => {
  const server = createServiceServer(() => new Response(), '127.0.0.1');

  expect(server.keepAliveTimeout).toBeGreaterThan(60_000);
  expect(server.maxRequestsPerSocket).toBe(0);
});
