import type { LoadedWorker } from '../../shared/host/model-loader.ts';

/** A worker of which only the size of its heap matters. */
export function unusedWorker(heapBytes: number): LoadedWorker {
  const unused = () => Promise.reject(new Error('nobody runs it'));
  const runBatch = () => {
    throw new Error('nobody runs it');
  };
  return { heapBytes, run: unused, runBatch, end: unused };
}
