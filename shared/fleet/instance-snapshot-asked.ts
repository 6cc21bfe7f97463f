import * as z from 'zod/mini';
import { modelKey } from '../repository/manifest.ts';

type Model = { readonly id: string; readonly version: string };

/** What a breaker stands before, by the places that are written; one more goes to the end. */
const operations: readonly string[] = ['translate', 'detect', 'load'];

/**
 * Breakers by name. First a list for each operation, of the models that are asked for it, as places in the rows of models;
 * then in full the names that are not made of these. A number takes a tenth of a name's room.
 */
export const askedRows = z.array(z.union([z.array(z.int().check(z.minimum(0))), z.string()]));

type AskedRows = z.infer<typeof askedRows>;

export function encodeAsked(names: readonly string[], models: readonly Model[]): AskedRows {
  const keys = models.map(modelKey);
  const lists = operations.map((operation) =>
    keys.flatMap((key, place) => (names.includes(`${operation} ${key}`) ? [place] : [])),
  );
  const brief = new Set(decodeAsked(lists, models));
  const used = lists.slice(0, lists.findLastIndex((places) => places.length > 0) + 1);
  return [...used, ...names.filter((name) => !brief.has(name))];
}

/** Without those that name a model or an operation that is not there. */
export function decodeAsked(rows: AskedRows, models: readonly Model[]): readonly string[] {
  return rows.flatMap((row, index) => {
    if (typeof row === 'string') return [row];
    const operation = operations[index];
    if (operation === undefined) return [];
    return row.flatMap((place) => {
      const model = models[place];
      return model === undefined ? [] : [`${operation} ${modelKey(model)}`];
    });
  });
}
