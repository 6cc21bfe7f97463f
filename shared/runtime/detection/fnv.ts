/** Where a hash begins. */
export const fnvStart = 2166136261 | 0;

/** One byte more of 32-bit FNV-1a as fastText has it: the byte counts as signed, so those from 0x80 on flip the upper bits. */
export function fnvStep(hash: number, byte: number): number {
  return Math.imul(hash ^ ((byte << 24) >> 24), 16777619);
}
