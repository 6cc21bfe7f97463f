import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { transitions } from '../../shared/host/model-state.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'model-host.md'), 'utf8');

test('the documentation has a row, with its reason, for every transition there is, and for no other', () => {
  const rows = [...page.matchAll(/^\| `(?<from>[A-Z]+)` +\| `(?<to>[A-Z]+)` +\| (?<when>\S.*\S) +\|$/gm)];

  const documented = rows.map(({ groups }) => `${groups?.['from']} > ${groups?.['to']}`);
  const known = Object.entries(transitions).flatMap(([from, tos]) => tos.map((to) => `${from} > ${to}`));
  expect(documented.toSorted()).toEqual(known.toSorted());
});
