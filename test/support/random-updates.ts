import fc from 'fast-check';
import {
  absent,
  type Change,
  type Condition,
  equals,
  type Item,
  type Path,
  type Scalar,
} from '../../shared/fleet/table/fleet-table.ts';

/** So few names and values that conditions are often met, and changes often meet each other. */
const attribute = fc.constantFrom('a', 'b', 'c');
const member = fc.constantFrom('x', 'y');
const path: fc.Arbitrary<Path> = fc.oneof(fc.tuple(attribute), fc.tuple(attribute, member));
const number = fc.integer({ min: -1, max: 2 });
const scalar: fc.Arbitrary<Scalar> = fc.oneof(number, fc.constantFrom('p', 'qq'));
const texts = fc.subarray(['p', 'q', 'r'], { minLength: 1 }).map((members) => new Set(members));
const map = fc.dictionary(member, scalar, { maxKeys: 2, noNullPrototype: true });

export const items: fc.Arbitrary<Item> = fc.dictionary(attribute, fc.oneof(scalar, texts, map), {
  maxKeys: 3,
  noNullPrototype: true,
});

const clauses: fc.Arbitrary<Condition> = fc.oneof(
  path.map((at) => absent(...at)),
  fc.tuple(path, scalar).map(([at, value]) => equals(at, value)),
  fc.record({ kind: fc.constantFrom('at most', 'above'), path, value: number }),
  fc.record({ kind: fc.constant('smaller'), path, size: fc.integer({ min: 0, max: 4 }) }),
);

/** Any condition that says something, with groups in groups. */
export const conditions: fc.Arbitrary<Condition> = fc.letrec<{ condition: Condition; group: Condition }>((tie) => ({
  condition: fc.oneof({ depthSize: 'small', withCrossShrink: true }, clauses, tie('group')),
  group: fc.record({
    kind: fc.constantFrom('all', 'any'),
    of: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }),
  }),
})).condition;

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('set'), path: fc.tuple(attribute), value: fc.oneof(scalar, texts, map) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set'), path: fc.tuple(attribute, member), value: scalar }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add'), attribute, value: fc.oneof(number, texts) }) },
);

/** Some of which make no sense, together or on what they change. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(change, { maxLength: 3 });
