import type { Benchmark } from './benchmark.ts';
import { breaker } from './breaker/benchmark.ts';
import { cold } from './cold/benchmark.ts';
import { fleet } from './fleet/benchmark.ts';
import { herd } from './herd/benchmark.ts';
import { lease } from './lease/benchmark.ts';
import { store } from './store/benchmark.ts';
import { translate } from './translate/benchmark.ts';
import { unload } from './unload/benchmark.ts';

/** Every benchmark by the order in which they are listed. One more is a folder and a line here. */
export const benchmarks: readonly Benchmark[] = [translate, cold, herd, unload, lease, breaker, fleet, store];
