import type { Bill } from './estimate.ts';
import { prices } from './prices.ts';
import { HOURS_PER_MONTH, type Shape } from './shapes.ts';
import { measuredSpeed } from './speed.ts';

/** Amazon Translate, real time, standard text. */
export function amazonTranslate({ charactersPerMonth }: Shape): Bill {
  return { characters: charactersPerMonth * prices.translateCharacter.usd };
}

/** One task of a LibreTranslate container. */
export interface LibreTranslateTask {
  readonly cpus: number;
  readonly gb: number;
  /** Characters that one vCPU translates in a second; left out: as many as ours, which we have not measured. */
  readonly charactersPerSecond?: number | undefined;
}

/** Tasks that carry the peak are as busy as this. */
const UTILISATION = 0.7;

/** LibreTranslate on Fargate behind a load balancer, day and night: so many tasks as the busiest minutes need. */
export function libreTranslate(shape: Shape, task: LibreTranslateTask): Bill {
  const perCpu = task.charactersPerSecond ?? measuredSpeed(shape.charactersPerRequest);
  const peak = (shape.charactersPerMonth / (shape.busyHours * 3600)) * shape.peakFactor;
  const tasks = Math.max(1, Math.ceil(peak / (perCpu * task.cpus * UTILISATION)));
  return {
    compute: tasks * HOURS_PER_MONTH * (task.cpus * prices.fargateCpuHour.usd + task.gb * prices.fargateGbHour.usd),
    'load balancer': HOURS_PER_MONTH * (prices.balancerHour.usd + prices.balancerUnitHour.usd),
  };
}
