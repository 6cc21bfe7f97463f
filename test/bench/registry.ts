import { batching } from './batching/benchmark.ts';
import type { Benchmark } from './benchmark.ts';
import { breaker } from './breaker/benchmark.ts';
import { cold } from './cold/benchmark.ts';
import { fleet } from './fleet/benchmark.ts';
import { herd } from './herd/benchmark.ts';
import { lease } from './lease/benchmark.ts';
import { load } from './load/benchmark.ts';
import { observe } from './observe/benchmark.ts';
import { overload } from './overload/benchmark.ts';
import { overloadFleet } from './overload/fleet-benchmark.ts';
import { store } from './store/benchmark.ts';
import { translate } from './translate/benchmark.ts';
import { unload } from './unload/benchmark.ts';

/** Every benchmark by the order in which they are listed. One more is a folder and a line here. */
export const benchmarks: readonly Benchmark[] = [
  translate,
  cold,
  herd,
  load,
  unload,
  lease,
  breaker,
  fleet,
  store,
  observe,
  overload,
  overloadFleet,
  batching,
];
