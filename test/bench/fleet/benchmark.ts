import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { breakerSettings } from '../../support/breaker-settings.ts';
import type { Benchmark } from '../benchmark.ts';
import { startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { bundleProgram } from '../programs.ts';
import { type Played, reportOf } from './report.ts';
import { instanceKinds, networks, type Outcome, type Trouble } from './trouble.ts';

const SIZES = [10, 1_000, 10_000] as const;

/** What a fleet of instances does when a model begins to fail, and when it is well again; simulated. */
export const fleet: Benchmark = {
  name: 'fleet',
  description: 'simulated fleets of up to 10,000 instances, in which a model fails and recovers',
  targets: {
    open_seconds_10000: { atMost: 7 },
    writes_per_second_10000: { atMost: 300 },
    probes_per_open_10000: { atMost: breakerSettings().halfOpenSuccesses },
    healthy_writes_10000: { atMost: 0 },
  },
  // Nothing here depends on the machine: a round is a seed.
  defaultRounds: 1,
  async run({ rounds, onProgress }) {
    const program = await bundleProgram(join(import.meta.dirname, 'player.ts'), folders.bench);
    const troubles: readonly Trouble[] = Array.from({ length: rounds }, (_, round) => round + 1).flatMap((seed) =>
      SIZES.flatMap((instances) =>
        instanceKinds.flatMap((kind) => networks.map((network) => ({ seed, instances, kind, network }))),
      ),
    );
    const oneOfFew = pLimit(availableParallelism());
    const played = await Promise.all(
      troubles.map((trouble) =>
        oneOfFew(async (): Promise<Played> => {
          const child = startChild<Trouble, Outcome>(program, {}, {});
          try {
            const outcome = await child.call(trouble);
            const { instances, kind, network, seed } = trouble;
            onProgress(`${instances} instances, ${kind}, ${network} network, seed ${seed}: ${JSON.stringify(outcome)}`);
            return { trouble, outcome };
          } finally {
            await child.end();
          }
        }),
      ),
    );
    return reportOf(played);
  },
};
