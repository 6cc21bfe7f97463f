import * as z from 'zod/mini';

/** Schemas that have a name in the description: each is written once and pointed to from wherever it is used. */
export const named = z.registry<{ id: string; description?: string }>();

/** Gives a schema its name. */
export function name<Schema extends z.ZodMiniType>(id: string, schema: Schema, description?: string): Schema {
  named.add(schema, { id, ...(description === undefined ? {} : { description }) });
  return schema;
}

export const time = z.iso.datetime();
export const maybeTime = z.nullable(time);
export const count = z.int().check(z.gte(0));
/** 0 to 1. */
export const share = z.number().check(z.gte(0), z.lte(1));
export const maybeText = z.nullable(z.string());
export const maybeNumber = z.nullable(z.number());
export const modelState = z.enum([
  'UNLOADED',
  'QUEUED',
  'DOWNLOADING',
  'INITIALIZING',
  'WARMING',
  'READY',
  'DRAINING',
  'FAILED',
]);
export const breakerState = z.enum(['CLOSED', 'OPEN', 'HALF_OPEN', 'RAMP']);
export const fleetBreakerState = z.enum(['CLOSED', 'OPEN', 'HALF_OPEN', 'RAMP', 'FORCED_OPEN', 'FORCED_CLOSED']);
/** How many there are of each; those of which there are none are left out. */
export const counts = (keys: z.core.$ZodRecordKey) => z.partialRecord(keys, count);
export const reasons = z.array(z.string());
