/** What onnxruntime-web offers by itself: a session in this thread, and `session.release()`. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { serve } from '../serve.ts';
import { type Cycle, runCycle } from './cycle.ts';
import { settledMb } from './memory.ts';

export interface PeerStart {
  /** Path of the graph. */
  readonly graph: string;
}

const { graph } = JSON.parse(process.argv[2] ?? '') as PeerStart;
env.wasm.numThreads = 1;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

serve<object, Cycle>(() =>
  runCycle(
    async () => {
      const session = await InferenceSession.create(graph, { executionProviders: ['wasm'] });
      await session.run({ features: new Tensor('int32', Int32Array.of(1, 2, 3), [3]) });
      return () => session.release();
    },
    async () => {
      // In its favour: the file that it read into an array is not counted against it.
      collectGarbage();
      return settledMb();
    },
  ),
);
