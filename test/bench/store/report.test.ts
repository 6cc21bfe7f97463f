import { describe, expect, it } from 'vitest';
import { type Measured, reportOf } from './report.ts';

const round: Measured = {
  seconds: 40,
  quickMs: [5, 7],
  slowMs: [6, 301, 8],
  slowStoreMs: 300,
  healthy: { 'GetItem BREAKER': 9, 'PutItem INSTANCES': 1 },
  thaws: [{ 'GetItem BREAKER': 1 }, { 'GetItem BREAKER': 1, 'PutItem INSTANCES': 1 }],
};

describe('the report of what is asked of the store', () => {
  it('counts the operations of the requests, and of the request after a silence that had most', () => {
    expect(reportOf([round]).figures).toMatchObject({
      operations_per_1000_requests: 10,
      getitem_breaker_per_1000_requests: 9,
      operations_per_thaw: 2,
      putitem_instances_per_thaw: 1,
    });
  });

  it('tells how many requests took as long as the store', () => {
    expect(reportOf([round]).figures).toMatchObject({ requests_that_waited: 1 });
  });

  it('tells the worst of several rounds', () => {
    const worse = { ...round, healthy: { 'Query WISH': 30 } };

    expect(reportOf([round, worse]).figures).toMatchObject({
      operations_per_1000_requests: 30,
      query_wish_per_1000_requests: 30,
      getitem_breaker_per_1000_requests: 9,
    });
  });
});
