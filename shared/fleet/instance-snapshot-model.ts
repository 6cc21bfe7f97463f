import * as z from 'zod/mini';
import type { ModelStatus } from '../host/model-host.ts';
import type { ModelState } from '../host/model-state.ts';

/** As they are written; a number is never given to another state. */
const codeOf: Readonly<Record<ModelState, number>> = {
  UNLOADED: 0,
  QUEUED: 1,
  DOWNLOADING: 2,
  INITIALIZING: 3,
  WARMING: 4,
  READY: 5,
  DRAINING: 6,
  FAILED: 7,
};
const stateOf = new Map(Object.entries(codeOf).map(([state, code]) => [code, state as ModelState]));

export function codeOfState(state: ModelState): number {
  return codeOf[state];
}

export function stateOfCode(code: number): ModelState | undefined {
  return stateOf.get(code);
}

/** Characters of an error's message. */
const messageLength = 100;
/** Values of a row that is whole. */
const rowLength = 20;

const count = z.nullable(z.int());
/** One model; nulls at the end of a row are not written. */
export const modelRow = z.pipe(
  z.pipe(
    z.array(z.unknown()),
    z.transform((row: unknown[]) => [...row, ...Array<null>(Math.max(0, rowLength - row.length)).fill(null)]),
  ),
  z.tuple([
    z.string(),
    z.string(),
    z.int().check(z.minimum(0), z.maximum(stateOf.size - 1)),
    // Memory in MB, leases, waiting, attempts, whether it stays (0 or 1), bytes in all.
    count,
    count,
    count,
    count,
    count,
    count,
    // Started, last used, ready: seconds before the snapshot.
    count,
    count,
    count,
    // Progress in thousandths and bytes loaded, where the state does not tell; seconds left.
    count,
    count,
    count,
    // Next try: seconds before the snapshot, so negative as a rule.
    count,
    z.nullable(z.string()),
    count,
    z.nullable(z.string()),
    // Whether it waits for a permit: 1 or nothing.
    count,
  ]),
);

export type ModelRow = z.infer<typeof modelRow>;
/** A row as it is written. */
export type WrittenRow = readonly (string | number | null)[];

/** Times become whole seconds, so that they stay the same from snapshot to snapshot. */
export function encodeModel(model: ModelStatus, at: number, { messages = true } = {}): WrittenRow {
  const age = (ms: number | undefined, whole: (seconds: number) => number = Math.floor) =>
    ms === undefined ? null : Math.floor(at / 1000) - whole(ms / 1000);
  const { progress, bytesLoaded, error } = model;
  const usual = usualProgress(model.state, model.bytesTotal);
  const message = messages ? error?.message.slice(0, messageLength) : undefined;
  return trimmed([
    model.id,
    model.version,
    codeOf[model.state],
    Math.round(model.memoryMb),
    model.leases,
    model.waiting,
    model.attempts,
    model.stays ? 1 : 0,
    model.bytesTotal,
    age(model.startedAt),
    age(model.lastUsedAt),
    age(model.readyAt),
    progress === usual.progress ? null : Math.round(progress * 1000),
    bytesLoaded === usual.bytesLoaded ? null : bytesLoaded,
    model.secondsLeft === undefined ? null : Math.round(model.secondsLeft),
    age(model.nextTryAt, Math.ceil),
    error?.code ?? null,
    error === undefined ? null : Number(error.retryable),
    message ?? null,
    model.waitsForPermit ? 1 : null,
  ]);
}

/** Its name, its state and its memory alone. */
export function encodeModelBriefly({ id, version, state, memoryMb }: ModelStatus): WrittenRow {
  return [id, version, codeOf[state], Math.round(memoryMb)];
}

export function decodeModel(row: ModelRow, at: number): ModelStatus {
  const [id, version, stateCode, memoryMb, leases, waiting, attempts, stays, total, ...rest] = row;
  const [started, lastUsed, ready, progress, loaded, secondsLeft, nextTry, code, retryable, message, waits] = rest;
  const time = (age: number) => (Math.floor(at / 1000) - age) * 1000;
  const state = stateOf.get(stateCode) ?? 'UNLOADED';
  const bytesTotal = total ?? 0;
  const usual = usualProgress(state, bytesTotal);
  return {
    id,
    version,
    state,
    progress: progress === null ? usual.progress : progress / 1000,
    bytesLoaded: loaded ?? usual.bytesLoaded,
    bytesTotal,
    leases: leases ?? 0,
    waiting: waiting ?? 0,
    memoryMb: memoryMb ?? 0,
    attempts: attempts ?? 0,
    stays: stays === 1,
    ...(waits === 1 ? { waitsForPermit: true } : {}),
    ...(secondsLeft === null ? {} : { secondsLeft }),
    ...(started === null ? {} : { startedAt: time(started) }),
    ...(ready === null ? {} : { readyAt: time(ready) }),
    ...(lastUsed === null ? {} : { lastUsedAt: time(lastUsed) }),
    ...(nextTry === null ? {} : { nextTryAt: time(nextTry) }),
    ...(code === null ? {} : { error: { code, message: message ?? '', retryable: retryable === 1 } }),
  };
}

function usualProgress(state: ModelState, bytesTotal: number): { progress: number; bytesLoaded: number } {
  const isLoaded = state === 'READY' || state === 'DRAINING';
  return isLoaded ? { progress: 1, bytesLoaded: bytesTotal } : { progress: 0, bytesLoaded: 0 };
}

/** Without the nulls at its end, which reading puts back. */
function trimmed(row: WrittenRow): WrittenRow {
  return row.slice(0, row.findLastIndex((value) => value !== null) + 1);
}
