import type { MemoryHistory } from './memory-history.ts';

/** The real one before AWS's SDK is there, which is imported with the first call. @param bucket of the models */
export function createLateMemoryHistory(bucket: string): MemoryHistory {
  let arriving: Promise<MemoryHistory> | undefined;
  const arrived = () => {
    arriving ??= import('./s3-memory-history.ts').then(({ createS3MemoryHistory }) => createS3MemoryHistory(bucket));
    return arriving;
  };
  return {
    write: async (slot, memory, options) => (await arrived()).write(slot, memory, options),
    readFrom: async (slot, options) => (await arrived()).readFrom(slot, options),
  };
}
