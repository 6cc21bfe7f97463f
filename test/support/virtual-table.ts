import type {
  Change,
  Condition,
  Item,
  Key,
  Path,
  ReadAnswer,
  Update,
  UpdateAnswer,
  Value,
} from '../../shared/fleet/table/fleet-table.ts';

/** DynamoDB's ValidationException: an update that the item as it is, or any item, does not allow. */
export class InvalidUpdateError extends Error {
  constructor(update: Update, problem: string) {
    super(`${update.name || 'update'} of ${update.key.pk}/${update.key.sk}: ${problem}`);
    this.name = 'InvalidUpdateError';
  }
}

/**
 * The fleet's table in memory, by DynamoDB's rules, answering at once: when and whether an answer arrives is the simulation's
 * matter. Items are never changed in place, so an answer stays what it was.
 */
export class VirtualTable {
  readonly #partitions = new Map<string, Map<string, Item>>();
  readonly #mutate: ((update: Update) => Update) | undefined;

  /** `mutate`: what is carried out instead of an update, for tests that drop a clause of its condition. */
  constructor(options: { readonly mutate?: (update: Update) => Update } = {}) {
    this.#mutate = options.mutate;
  }

  /** @throws InvalidUpdateError where DynamoDB would answer ValidationException */
  apply(wanted: Update): Exclude<UpdateAnswer, { kind: 'unavailable' }> {
    const update = this.#mutate === undefined ? wanted : this.#mutate(wanted);
    const { pk, sk } = update.key;
    checkChanges(update);
    const before = this.#partitions.get(pk)?.get(sk);
    if (update.condition !== undefined && !holds(update.condition, before ?? nothing)) {
      return { kind: 'refused', item: before };
    }
    const item = changed(before ?? nothing, update);
    let partition = this.#partitions.get(pk);
    if (partition === undefined) {
      partition = new Map();
      this.#partitions.set(pk, partition);
    }
    partition.set(sk, item);
    return { kind: 'updated', item };
  }

  read({ pk, sk }: Key): Extract<ReadAnswer, { kind: 'read' }> {
    return { kind: 'read', item: this.#partitions.get(pk)?.get(sk) };
  }

  /** By `sk`, in order. */
  query(pk: string): { readonly kind: 'read'; readonly items: ReadonlyMap<string, Item> } {
    const partition = this.#partitions.get(pk) ?? [];
    return { kind: 'read', items: new Map([...partition].sort(([a], [b]) => (a < b ? -1 : 1))) };
  }
}

const nothing: Item = {};

/** Whether the item meets the condition; a clause on what is not there, or is of another type, is false. */
export function holds(condition: Condition, item: Item): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((part) => holds(part, item));
    case 'any':
      return condition.of.some((part) => holds(part, item));
    case 'absent':
      return valueAt(item, condition.path) === undefined;
    case 'equals':
      return valueAt(item, condition.path) === condition.value;
    case 'at most': {
      const value = valueAt(item, condition.path);
      return typeof value === 'number' && value <= condition.value;
    }
    case 'above': {
      const value = valueAt(item, condition.path);
      return typeof value === 'number' && value > condition.value;
    }
    case 'smaller': {
      const size = sizeOf(valueAt(item, condition.path));
      return size !== undefined && size < condition.size;
    }
  }
}

/** How many clauses a condition has that are not `all` or `any`. */
export function clausesOf(condition: Condition | undefined): number {
  if (condition === undefined) return 0;
  if (condition.kind !== 'all' && condition.kind !== 'any') return 1;
  return condition.of.reduce((sum, part) => sum + clausesOf(part), 0);
}

/** The condition less its n-th clause, counted from 0 in the order of the text; undefined when none is left. */
export function withoutClause(condition: Condition, n: number): Condition | undefined {
  if (condition.kind !== 'all' && condition.kind !== 'any') return n === 0 ? undefined : condition;
  let next = 0;
  const of = condition.of.flatMap((part) => {
    const first = next;
    next += clausesOf(part);
    if (n < first || n >= next) return [part];
    const rest = withoutClause(part, n - first);
    return rest === undefined ? [] : [rest];
  });
  return of.length === 0 ? undefined : { kind: condition.kind, of };
}

function valueAt(item: Item, [attribute, member]: Path): Value | undefined {
  const value = item[attribute];
  if (member === undefined) return value;
  return isMap(value) ? value[member] : undefined;
}

/** As DynamoDB has it, of whatever has a size. */
function sizeOf(value: Value | undefined): number | undefined {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object') return undefined;
  return value instanceof Set ? value.size : Object.keys(value).length;
}

function isMap(value: Value | undefined): value is Exclude<Value, string | number | ReadonlySet<string>> {
  return typeof value === 'object' && !(value instanceof Set);
}

/** What DynamoDB refuses before it looks at the item. */
function checkChanges(update: Update): void {
  const { changes } = update;
  for (const [index, change] of changes.entries()) {
    if ('value' in change && change.value instanceof Set && change.value.size === 0) {
      throw new InvalidUpdateError(update, 'a set must not be empty');
    }
    for (let other = 0; other < index; other++) {
      if (overlap(pathOf(changes[other] ?? change), pathOf(change))) {
        throw new InvalidUpdateError(update, `two changes of ${pathOf(change).join('.')}`);
      }
    }
  }
}

function pathOf(change: Change): Path {
  return change.kind === 'add' ? [change.attribute] : change.path;
}

function overlap([attribute, member]: Path, [otherAttribute, otherMember]: Path): boolean {
  return attribute === otherAttribute && (member === undefined || otherMember === undefined || member === otherMember);
}

/** All changes, each seeing the item as it was before. */
function changed(before: Item, update: Update): Item {
  const item: Record<string, Value> = { ...before };
  for (const change of update.changes) {
    switch (change.kind) {
      case 'add':
        item[change.attribute] = sum(item[change.attribute], change.value, update);
        break;
      case 'set': {
        const [attribute, member] = change.path;
        if (member === undefined) item[attribute] = change.value;
        else item[attribute] = { ...parentOf(item, change.path, update), [member]: scalar(change.value, update) };
        break;
      }
      case 'remove': {
        const [attribute, member] = change.path;
        if (member === undefined) {
          delete item[attribute];
        } else {
          const { [member]: _, ...rest } = parentOf(item, change.path, update);
          item[attribute] = rest;
        }
        break;
      }
    }
  }
  return item;
}

function sum(value: Value | undefined, added: number | ReadonlySet<string>, update: Update): number | Set<string> {
  if (typeof added === 'number') {
    if (value === undefined) return added;
    if (typeof value === 'number') return value + added;
  } else {
    if (value === undefined) return new Set(added);
    if (value instanceof Set) return new Set([...value, ...added]);
  }
  throw new InvalidUpdateError(update, 'ADD to what is of another type');
}

function parentOf(item: Item, [attribute]: Path, update: Update): Readonly<Record<string, string | number>> {
  const parent = item[attribute];
  if (!isMap(parent)) throw new InvalidUpdateError(update, `${attribute} is not a map`);
  return parent;
}

/** DynamoDB would take it, but then an item would not be an `Item`. */
function scalar(value: Value, update: Update): string | number {
  if (typeof value === 'object') throw new InvalidUpdateError(update, 'a map in a map');
  return value;
}
