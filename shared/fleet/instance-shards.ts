import { crc32 } from 'node:zlib';

/**
 * The partitions of the instances' snapshots. A partition takes 1000 writes a second. 10,000 instances write 333 times a second
 * while they serve; 5000 times when all of them load at once, of which four shards take most, and what is refused is written
 * anew 2 s later. A reader pays a query for each shard, so there are no more.
 */
export const instanceShards: readonly string[] = [0, 1, 2, 3].map((shard) => `INSTANCES#${shard}`);

/** The partition of one instance. */
export function shardOf(id: string): string {
  return `INSTANCES#${crc32(id) % instanceShards.length}`;
}
