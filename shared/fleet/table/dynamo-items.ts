import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item, Key, Scalar, Value } from './fleet-table.ts';

export type DynamoItem = Record<string, AttributeValue>;

export function encodeKey({ pk, sk }: Key): DynamoItem {
  return { pk: { S: pk }, sk: { S: sk } };
}

export function encodeValue(value: Value): AttributeValue {
  if (typeof value !== 'object') return encodeScalar(value);
  if (isSet(value)) return { SS: [...value] };
  return { M: Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encodeScalar(member)])) };
}

/** The item without its key, and without what is of a type that this project does not write. */
export function decodeItem(item: DynamoItem): Item {
  return decodeMembers(item, (value, name) => (name === 'pk' || name === 'sk' ? undefined : decodeValue(value)));
}

function decodeValue({ S, N, SS, M }: AttributeValue): Value | undefined {
  if (SS !== undefined) return new Set(SS);
  if (M !== undefined) return decodeMembers(M, decodeScalar);
  return N === undefined ? S : Number(N);
}

function decodeMembers<Member extends Value>(
  members: DynamoItem,
  decode: (value: AttributeValue, name: string) => Member | undefined,
): Readonly<Record<string, Member>> {
  const decoded: Record<string, Member> = {};
  for (const [name, value] of Object.entries(members)) {
    const member = decode(value, name);
    if (member !== undefined) decoded[name] = member;
  }
  return decoded;
}

function encodeScalar(value: Scalar): AttributeValue {
  return typeof value === 'string' ? { S: value } : { N: String(value) };
}

function decodeScalar({ S, N }: AttributeValue): Scalar | undefined {
  return N === undefined ? S : Number(N);
}

function isSet(value: object): value is ReadonlySet<string> {
  return value instanceof Set;
}
