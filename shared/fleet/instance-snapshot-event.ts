import * as z from 'zod/mini';
import { modelKey } from '../repository/manifest.ts';
import type { InstanceEvent } from './instance-event.ts';
import { breakerStates } from './instance-snapshot-breaker.ts';
import { codeOfState, stateOfCode } from './instance-snapshot-model.ts';

type Model = { readonly id: string; readonly version: string };

const code = z.int().check(z.minimum(0));

/**
 * One event: seconds before the snapshot; the model as its place in the rows of models, or its key, or the breaker's name; states
 * from and to, those of breakers from 10 on; tenths of a second; an error's code. Nulls at the end are not written.
 */
export const eventRow = z.union([
  z.tuple([z.int(), z.union([code, z.string()]), code, code]),
  z.tuple([z.int(), z.union([code, z.string()]), code, code, z.nullable(z.int())]),
  z.tuple([z.int(), z.union([code, z.string()]), code, code, z.nullable(z.int()), z.string()]),
]);

type EventRow = z.infer<typeof eventRow>;

/** States of breakers are written as numbers from here on. */
const BREAKERS_FROM = 10;

/** Times become whole seconds, so that they stay the same from snapshot to snapshot. */
export function encodeEvent(event: InstanceEvent, at: number, models: readonly Model[]): EventRow {
  const age = Math.floor(at / 1000) - Math.floor(event.at / 1000);
  switch (event.kind) {
    case 'model': {
      const place = models.findIndex((model) => modelKey(model) === event.model);
      const name = place < 0 ? event.model : place;
      const tenths = event.tookMs === undefined ? null : Math.round(event.tookMs / 100);
      const [from, to] = [codeOfState(event.from), codeOfState(event.to)];
      if (event.code !== undefined) return [age, name, from, to, tenths, event.code];
      return tenths === null ? [age, name, from, to] : [age, name, from, to, tenths];
    }
    case 'breaker': {
      const [from, to] = [event.from, event.to].map((state) => BREAKERS_FROM + breakerStates.indexOf(state));
      return [age, event.breaker, from ?? BREAKERS_FROM, to ?? BREAKERS_FROM];
    }
  }
}

/** None where it is of something that is not known here. */
export function decodeEvent(row: EventRow, at: number, models: readonly Model[]): readonly InstanceEvent[] {
  const [age, place, fromCode, toCode, tenths, code] = row;
  const when = (Math.floor(at / 1000) - age) * 1000;
  if (fromCode >= BREAKERS_FROM) {
    const [from, to] = [breakerStates[fromCode - BREAKERS_FROM], breakerStates[toCode - BREAKERS_FROM]];
    if (from === undefined || to === undefined || typeof place !== 'string') return [];
    return [{ kind: 'breaker', at: when, breaker: place, from, to }];
  }
  const [from, to] = [stateOfCode(fromCode), stateOfCode(toCode)];
  const named = typeof place === 'string' ? place : models[place];
  if (from === undefined || to === undefined || named === undefined) return [];
  const model = typeof named === 'string' ? named : modelKey(named);
  const tookMs = tenths === null || tenths === undefined ? undefined : tenths * 100;
  return [{ kind: 'model', at: when, model, from, to, tookMs, code }];
}
