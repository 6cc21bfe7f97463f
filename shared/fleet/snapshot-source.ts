import { randomBytes } from 'node:crypto';
import type { Breakers } from '../breaker/breakers.ts';
import type { ModelHost } from '../host/model-host.ts';
import type { InstanceEvent } from './instance-event.ts';
import {
  type FleetView,
  type Initialization,
  type InstanceIdentity,
  type InstanceSnapshot,
  LIVE_MS,
} from './instance-snapshot.ts';
import type { InstanceTraffic } from './instance-traffic.ts';

/** This process as an instance; a name of its own at each start. */
export function thisInstance(
  env: Readonly<Record<string, string | undefined>>,
  bundle: string,
  clock: { now(): number },
): InstanceIdentity {
  return {
    id: randomBytes(9).toString('base64url'),
    startedAt: clock.now(),
    initialization: initializationOf(env),
    bundle,
  };
}

function initializationOf(env: Readonly<Record<string, string | undefined>>): Initialization {
  if (env['AWS_LAMBDA_FUNCTION_NAME'] === undefined) return 'process';
  return env['AWS_LAMBDA_INITIALIZATION_TYPE'] === 'provisioned-concurrency' ? 'provisioned-concurrency' : 'on-demand';
}

/** What the instance holds at the moment of the call. */
export type TakeSnapshot = () => InstanceSnapshot;

export function createTakeSnapshot(deps: {
  instance: InstanceIdentity;
  host: Pick<ModelHost, 'report'>;
  breakers: Pick<Breakers, 'asked' | 'report'>;
  wishes: () => ReadonlyMap<string, number>;
  traffic: () => InstanceTraffic;
  events: () => readonly InstanceEvent[];
  /** Percent of one core. */
  cpuPercent: () => number;
  clock: { now(): number };
}): TakeSnapshot {
  const { instance, host, breakers, wishes, traffic, events, cpuPercent, clock } = deps;
  return () => {
    const at = clock.now();
    return {
      ...instance,
      at,
      expiresAt: at + LIVE_MS,
      cpuPercent: cpuPercent(),
      report: host.report(),
      breakers: breakers.report(),
      asked: breakers.asked(),
      wishes: new Map(wishes()),
      traffic: traffic(),
      events: events(),
      leftOut: 0,
    };
  };
}

/** A fleet of one: for a process that serves all functions, and asks no store about itself. */
export function fleetOfOne(take: TakeSnapshot): () => Promise<FleetView> {
  return async () => ({ instances: [{ snapshot: take(), stale: false }], reasons: [] });
}
