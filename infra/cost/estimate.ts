import { type Architecture, compute, prices } from './prices.ts';
import { HOURS_PER_MONTH, type Shape } from './shapes.ts';
import { AROUND_THE_MODEL_MS, COLD_START_MS, measuredSpeed } from './speed.ts';

/** What an estimate rests on beside the shape. */
export interface Deployment {
  readonly architecture: Architecture;
  readonly memoryMb: number;
  /** Characters that an instance translates in a second; left out: as measured. */
  readonly charactersPerSecond?: number | undefined;
}

/** US dollars a month, by what they are paid for. */
export type Bill = Readonly<Record<string, number>>;

/** Bytes that one request writes to logs: the access log, the function's line, Lambda's report. */
const LOG_BYTES = 1_500;
/** Part of the provisioned instances in use that autoscaling aims at, as in `infra/config.ts`. */
const UTILISATION = 0.7;
/** While an instance is at work: the digest is read every 5 s (half a unit), its snapshot written every 30 s (a unit). */
const READ_UNITS_PER_HOUR = 360;
const WRITE_UNITS_PER_HOUR = 120;
/** The monitor: a call a minute of a quarter of a second, in 256 MB. */
const MONITOR = { callsPerMonth: HOURS_PER_MONTH * 60, seconds: 0.25, gb: 0.25 };

/** Ms that Lambda counts for one warm request. */
export function requestMs({ charactersPerRequest }: Shape, deployment: Deployment): number {
  const speed = deployment.charactersPerSecond ?? measuredSpeed(charactersPerRequest);
  return Math.ceil((charactersPerRequest / speed) * 1000 + AROUND_THE_MODEL_MS);
}

/** Instances that are started and frozen by demand: what is paid for is work alone. */
export function onDemand(shape: Shape, deployment: Deployment): Bill {
  const { onDemand: price } = compute[deployment.architecture];
  const requests = requestsOf(shape);
  const seconds = (requests * (requestMs(shape, deployment) + shape.coldShare * COLD_START_MS)) / 1000;
  return {
    compute: gigabytes(deployment) * seconds * price.usd,
    ...beside(requests, instancesAtPeak(shape, deployment), shape),
  };
}

/** So many instances kept ready in the busy hours that the peak finds one free; no request meets a cold start. */
export function provisioned(shape: Shape, deployment: Deployment): Bill {
  const { kept, provisioned: work } = compute[deployment.architecture];
  const requests = requestsOf(shape);
  const instances = instancesAtPeak(shape, deployment);
  const gb = gigabytes(deployment);
  return {
    'kept ready': instances * shape.busyHours * 3600 * gb * kept.usd,
    compute: ((requests * requestMs(shape, deployment)) / 1000) * gb * work.usd,
    ...beside(requests, instances, shape),
  };
}

/** Instances that the busiest minutes need. */
export function instancesAtPeak(shape: Shape, deployment: Deployment): number {
  const perSecond = (requestsOf(shape) / (shape.busyHours * 3600)) * shape.peakFactor;
  return Math.max(1, Math.ceil((perSecond * requestMs(shape, deployment)) / 1000 / UTILISATION));
}

export function total(bill: Bill): number {
  return Object.values(bill).reduce((sum, usd) => sum + usd, 0);
}

function beside(requests: number, instances: number, { busyHours }: Shape): Bill {
  const hours = instances * busyHours;
  const monitor =
    MONITOR.callsPerMonth * (prices.lambdaRequest.usd + MONITOR.seconds * MONITOR.gb * compute.arm64.onDemand.usd);
  return {
    requests: requests * (prices.lambdaRequest.usd + prices.httpApiRequest.usd),
    'shared state':
      hours * (READ_UNITS_PER_HOUR * prices.dynamoRead.usd + WRITE_UNITS_PER_HOUR * prices.dynamoWrite.usd),
    logs: ((requests * LOG_BYTES) / 1e9) * prices.logGb.usd,
    monitor,
  };
}

function requestsOf({ charactersPerMonth, charactersPerRequest }: Shape): number {
  return charactersPerMonth / charactersPerRequest;
}

function gigabytes({ memoryMb }: Deployment): number {
  return memoryMb / 1024;
}
