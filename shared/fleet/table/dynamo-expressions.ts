import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { encodeValue } from './dynamo-items.ts';
import type { Condition, Path, Update, Value } from './fleet-table.ts';

/** The part of an UpdateItem that says what is to happen and when. */
export type Expressions = Pick<
  UpdateItemCommandInput,
  'ConditionExpression' | 'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** An update in DynamoDB's own words; names and values are numbered, since DynamoDB reserves some 600 words. */
export function renderUpdate({ condition, changes }: Update): Expressions {
  const words = new Words();
  const sets: string[] = [];
  const removals: string[] = [];
  const additions: string[] = [];
  for (const change of changes) {
    switch (change.kind) {
      case 'set':
        sets.push(`${words.path(change.path)} = ${words.value(change.value)}`);
        break;
      case 'remove':
        removals.push(words.path(change.path));
        break;
      case 'add':
        additions.push(`${words.path([change.attribute])} ${words.value(change.value)}`);
        break;
    }
  }
  const clauses = [section('SET', sets), section('REMOVE', removals), section('ADD', additions)].flat();
  return {
    ...(condition === undefined ? {} : { ConditionExpression: renderCondition(condition, words, undefined) }),
    ...(clauses.length === 0 ? {} : { UpdateExpression: clauses.join(' ') }),
    ...words.maps(),
  };
}

function section(keyword: string, parts: readonly string[]): readonly string[] {
  return parts.length === 0 ? [] : [`${keyword} ${parts.join(', ')}`];
}

/** In parentheses only where it must be: DynamoDB refuses redundant ones. */
function renderCondition(condition: Condition, words: Words, around: 'all' | 'any' | undefined): string {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const { kind, of } = condition;
      const [only] = of;
      if (of.length === 1 && only !== undefined) return renderCondition(only, words, around);
      const text = of.map((part) => renderCondition(part, words, kind)).join(kind === 'all' ? ' AND ' : ' OR ');
      return around === undefined || around === kind ? text : `(${text})`;
    }
    case 'absent':
      return `attribute_not_exists(${words.path(condition.path)})`;
    case 'equals':
      return `${words.path(condition.path)} = ${words.value(condition.value)}`;
    case 'at most':
      return `${words.path(condition.path)} <= ${words.value(condition.value)}`;
    case 'above':
      return `${words.path(condition.path)} > ${words.value(condition.value)}`;
    case 'smaller':
      return `size(${words.path(condition.path)}) < ${words.value(condition.size)}`;
  }
}

/** The placeholders of one update: `#0`, `#1` for names, `:0`, `:1` for values. */
class Words {
  readonly #names = new Map<string, string>();
  readonly #values: Record<string, AttributeValue> = {};
  #valueCount = 0;

  path(path: Path): string {
    return path.map((name) => this.#name(name)).join('.');
  }

  value(value: Value): string {
    const word = `:${this.#valueCount++}`;
    this.#values[word] = encodeValue(value);
    return word;
  }

  /** DynamoDB refuses empty ones. */
  maps(): Pick<Expressions, 'ExpressionAttributeNames' | 'ExpressionAttributeValues'> {
    return {
      ...(this.#names.size === 0
        ? {}
        : { ExpressionAttributeNames: Object.fromEntries(Array.from(this.#names, ([name, word]) => [word, name])) }),
      ...(this.#valueCount === 0 ? {} : { ExpressionAttributeValues: this.#values }),
    };
  }

  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const word = `#${this.#names.size}`;
    this.#names.set(name, word);
    return word;
  }
}
