import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type DynamoItem, encodeKey, encodeValue } from '../../shared/fleet/table/dynamo-items.ts';
import type { Item, Key } from '../../shared/fleet/table/fleet-table.ts';

/** Bytes of an item of the fleet's table, its key included, as DynamoDB counts them for its units. */
export function itemBytes(key: Key, item: Item): number {
  const values = Object.entries(item).map(([name, value]) => [name, encodeValue(value)] as const);
  return dynamoItemBytes({ ...encodeKey(key), ...Object.fromEntries(values) });
}

/** The same of an item as it is sent. */
export function dynamoItemBytes(item: DynamoItem): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

/**
 * Texts in UTF-8; a number as a byte for two digits and two more, which is never too little; a map as three bytes, and one for
 * each member beside its name and value.
 */
function valueBytes({ S, N, SS, M }: AttributeValue): number {
  if (S !== undefined) return Buffer.byteLength(S);
  if (N !== undefined) return Math.ceil(N.length / 2) + 2;
  if (SS !== undefined) return SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (M !== undefined) return 3 + Object.keys(M).length + dynamoItemBytes(M);
  throw new Error('the fleet writes no value of this type');
}
