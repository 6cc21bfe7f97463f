import * as z from 'zod/mini';
import type { InstanceTraffic } from './instance-traffic.ts';

const whole = z.int();
const known = z.nullable(whole);

/** Requests, failures, shed, in flight, ms in the queue, ms of service at p50 and p90, tokens, loads, evictions. */
export const trafficRow = z.tuple([whole, whole, whole, whole, whole, known, known, whole, whole, whole]);

type TrafficRow = z.infer<typeof trafficRow>;

export function encodeTraffic(traffic: InstanceTraffic): TrafficRow {
  const { requests, failures, shed, inFlight, queueDelayMs, serviceMs, tokens, loads, evictions } = traffic;
  const { p50, p90 } = serviceMs ?? { p50: null, p90: null };
  const rounded = (ms: number | null) => (ms === null ? null : Math.round(ms));
  return [
    requests,
    failures,
    shed,
    inFlight,
    Math.round(queueDelayMs),
    rounded(p50),
    rounded(p90),
    tokens,
    loads,
    evictions,
  ];
}

export function decodeTraffic(row: TrafficRow): InstanceTraffic {
  const [requests, failures, shed, inFlight, queueDelayMs, p50, p90, tokens, loads, evictions] = row;
  const serviceMs = p50 === null || p90 === null ? undefined : { p50, p90 };
  return { requests, failures, shed, inFlight, queueDelayMs, serviceMs, tokens, loads, evictions };
}
