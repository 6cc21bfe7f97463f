import { json, type Operation } from '../operation.ts';
import * as health from '../schemas/health.ts';

const tag = 'Health';
const readers = [401, 403, 429, 500, 503];

export const healthOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/health',
    tag,
    summary: 'Whether the service is alive',
    answers: { 200: json('It is.', health.alive) },
    failures: [500],
  },
  {
    method: 'get',
    path: '/liveness',
    tag,
    summary: 'Whether the process is alive',
    answers: { 200: json('It is.', health.liveness) },
    failures: [500],
  },
  {
    method: 'get',
    path: '/readiness',
    tag,
    summary: 'Whether requests can be served',
    answers: {
      200: json('They can.', health.readiness),
      503: json('They cannot, and why.', health.readiness),
    },
    failures: [500],
  },
  {
    method: 'get',
    path: '/health/detailed',
    tag,
    summary: 'How the fleet is',
    description: 'Wakes no instance: each tells of itself when something changes, and otherwise every 30 s.',
    answers: { 200: json('How it is, well or not.', health.detailed) },
    failures: readers,
  },
  {
    method: 'get',
    path: '/health/models',
    tag,
    summary: 'How the models are, and where',
    answers: { 200: json('How they are, well or not.', health.models) },
    failures: readers,
  },
  {
    method: 'get',
    path: '/metrics',
    tag,
    summary: 'Metrics for Prometheus',
    answers: {
      200: {
        description: "Prometheus' text format.",
        content: { 'text/plain; version=0.0.4; charset=utf-8': { type: 'string' } },
      },
    },
    failures: readers,
  },
];
