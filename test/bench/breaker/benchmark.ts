import { join } from 'node:path';
import type { Benchmark } from '../benchmark.ts';
import { startChild } from '../child.ts';
import { folders } from '../folders.ts';
import { installPeers } from '../install-peers.ts';
import { bundleProgram } from '../programs.ts';
import { reportOf } from './report.ts';
import type { LoopRequest, Timed } from './timed.ts';

/** Short rounds, so that what else the machine does hits all sides. */
const CALLS = 20_000;
const WARM_UPS = 2;

/** What a breaker costs each call. */
export const breaker: Benchmark = {
  name: 'breaker',
  description: 'a call through a closed and an open circuit breaker, and one that fails, against cockatiel and opossum',
  targets: {
    admit_vs_cockatiel: { atMost: 1 },
    refuse_vs_opossum: { atMost: 0.1 },
    failure_vs_opossum: { atMost: 0.1 },
  },
  defaultRounds: 51,
  async run({ rounds, onProgress }) {
    await installPeers(onProgress);
    const program = await bundleProgram(join(import.meta.dirname, 'loop.ts'), join(folders.peerPrograms, 'breaker'), [
      'cockatiel',
      'opossum',
    ]);
    const child = startChild<LoopRequest, Timed>(program, {}, {});
    try {
      onProgress(`${rounds} rounds of ${CALLS} calls of each kind on each side`);
      const measured: Timed[] = [];
      for (let round = -WARM_UPS; round < rounds; round++) {
        const timed = await child.call({ calls: CALLS });
        if (round >= 0) measured.push(timed);
      }
      return reportOf(measured);
    } finally {
      await child.end();
    }
  },
};
