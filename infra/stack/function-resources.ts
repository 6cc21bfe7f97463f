/** MB of memory that bring one vCPU, and the vCPUs that a function can have at most. */
const MB_PER_VCPU = 1769;
const MOST_VCPUS = 6;

/** Threads for one model's engine: the whole vCPUs that the memory brings; more would wait for each other. */
export function threadsFor(memoryMb: number): number {
  return Math.min(MOST_VCPUS, Math.max(1, Math.floor(memoryMb / MB_PER_VCPU)));
}
