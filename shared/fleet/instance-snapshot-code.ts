import * as z from 'zod/mini';
import { isAtRest } from '../breaker/breaker-state.ts';
import type { LoadingStrategy } from '../config/model-loading.ts';
import type { ModelStatus } from '../host/model-host.ts';
import { modelKey } from '../repository/manifest.ts';
import type { Initialization, InstanceSnapshot } from './instance-snapshot.ts';
import { askedRows, decodeAsked, encodeAsked } from './instance-snapshot-asked.ts';
import { breakerRow, decodeBreaker, encodeBreaker } from './instance-snapshot-breaker.ts';
import { decodeEvent, encodeEvent, eventRow } from './instance-snapshot-event.ts';
import { decodeModel, encodeModel, encodeModelBriefly, modelRow, type WrittenRow } from './instance-snapshot-model.ts';
import { decodeTraffic, encodeTraffic, trafficRow } from './instance-snapshot-traffic.ts';

/** Raised when what is written can no longer be read by the code before. */
const FORMAT = 4;
/** The same without its last two values. */
const FORMER_FORMAT = 3;

const strategies: readonly LoadingStrategy[] = ['eager', 'lazy', 'on_demand'];
const initializations: readonly Initialization[] = ['on-demand', 'provisioned-concurrency', 'process'];

const whole = z.int();
const known = z.nullable(whole);
const common = [
  // Started, seconds before `at`.
  whole,
  // Initialization and strategy, as places in the lists above.
  whole.check(z.minimum(0), z.maximum(initializations.length - 1)),
  whole.check(z.minimum(0), z.maximum(strategies.length - 1)),
  z.string(),
  // Percent of one core.
  whole,
  // Memory: protected, limit, budget, resident, reserved.
  z.tuple([whole, known, known, known, whole]),
  // Queue: size, limit, models that load as places in the rows.
  z.tuple([whole, whole, z.array(whole)]),
  // Models that were left out.
  whole,
  z.array(modelRow),
  z.array(breakerRow),
  askedRows,
  // Wishes that were carried out: model and seq.
  z.array(z.tuple([z.string(), whole])),
] as const;
const bodySchema = z.union([
  z.tuple([z.literal(FORMAT), ...common, z.nullable(trafficRow), z.array(eventRow)]),
  z.tuple([z.literal(FORMER_FORMAT), ...common]),
]);

/** What is stored of a snapshot beside its key and its times. */
export interface StoredSnapshot {
  readonly id: string;
  readonly at: number;
  readonly expiresAt: number;
  readonly body: string;
}

/**
 * The snapshot as one line of JSON, times in whole seconds, without the breakers that are at rest. What does not fit into
 * `maxBytes` is cut, in this order: events, the oldest first; traffic; the messages of errors; names of breakers that were asked; models that are UNLOADED, the least recently used first; of READY
 * models all but their memory. What is left may be longer still, rather than hide a model that is at work.
 */
export function encodeSnapshot(snapshot: InstanceSnapshot, maxBytes: number): string {
  const { models } = snapshot.report;
  const fits = (body: string) => Buffer.byteLength(body) <= maxBytes;
  let { asked, events, traffic } = snapshot;
  const write = (kept: readonly ModelStatus[], row: (model: ModelStatus) => WrittenRow) =>
    bodyOf({ ...snapshot, asked, events, traffic }, kept, models.length - kept.length, kept.map(row));

  const whole = (model: ModelStatus) => encodeModel(model, snapshot.at);
  for (;;) {
    const body = write(models, whole);
    if (fits(body)) return body;
    if (events.length > 0) events = events.slice(0, -1);
    else if (traffic !== undefined) traffic = undefined;
    else break;
  }
  const silent = (model: ModelStatus) => encodeModel(model, snapshot.at, { messages: false });
  let kept = models;
  let body = write(kept, silent);
  while (asked.length > 0) {
    if (fits(body)) return body;
    asked = asked.slice(0, -1);
    body = write(kept, silent);
  }
  for (const unloaded of leastRecentlyUsed(models)) {
    if (fits(body)) return body;
    kept = kept.filter((model) => model !== unloaded);
    body = write(kept, silent);
  }
  if (fits(body)) return body;
  return write(kept, (model) => (model.state === 'READY' ? encodeModelBriefly(model) : silent(model)));
}

/** Undefined when another version of this project wrote it in another way. */
export function decodeSnapshot({ id, at, expiresAt, body }: StoredSnapshot): InstanceSnapshot | undefined {
  const parsed = bodySchema.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const [, age, initialization, strategy, bundle, cpuPercent, memory, queue, leftOut, rows, breakers, asked, wishes] =
    parsed.data;
  const [traffic, events] = tailOf(parsed.data);
  const [isProtected, limitMb, budgetMb, rssMb, reservedMb] = memory;
  const [size, limit, loading] = queue;
  const models = rows.map((row) => decodeModel(row, at));
  return {
    id,
    at,
    expiresAt,
    startedAt: (secondsOf(at) - age) * 1000,
    initialization: initializations[initialization] ?? 'process',
    bundle,
    cpuPercent,
    leftOut,
    breakers: breakers.map((row) => decodeBreaker(row, at)),
    asked: decodeAsked(asked, models),
    wishes: new Map(wishes),
    traffic: traffic === null ? undefined : decodeTraffic(traffic),
    events: events.flatMap((row) => decodeEvent(row, at, models)),
    report: {
      strategy: strategies[strategy] ?? 'lazy',
      models,
      queue: {
        size,
        limit,
        loading: loading.flatMap((place) => {
          const model = models[place];
          return model === undefined ? [] : [modelKey(model)];
        }),
      },
      memory: {
        protected: isProtected === 1,
        limitMb: limitMb ?? undefined,
        budgetMb: budgetMb ?? undefined,
        rssMb: rssMb ?? undefined,
        reservedMb,
      },
    },
  };
}

function bodyOf(
  snapshot: InstanceSnapshot,
  kept: readonly ModelStatus[],
  cut: number,
  rows: readonly WrittenRow[],
): string {
  const { queue, memory, strategy } = snapshot.report;
  const keys = kept.map(modelKey);
  return JSON.stringify([
    FORMAT,
    secondsOf(snapshot.at) - secondsOf(snapshot.startedAt),
    initializations.indexOf(snapshot.initialization),
    strategies.indexOf(strategy),
    snapshot.bundle,
    Math.round(snapshot.cpuPercent),
    [
      memory.protected ? 1 : 0,
      rounded(memory.limitMb),
      rounded(memory.budgetMb),
      rounded(memory.rssMb),
      Math.round(memory.reservedMb),
    ],
    [queue.size, queue.limit, queue.loading.map((key) => keys.indexOf(key)).filter((place) => place >= 0)],
    snapshot.leftOut + cut,
    rows,
    snapshot.breakers.filter((breaker) => !isAtRest(breaker)).map((breaker) => encodeBreaker(breaker, snapshot.at)),
    encodeAsked(snapshot.asked, kept),
    [...snapshot.wishes],
    snapshot.traffic === undefined ? null : encodeTraffic(snapshot.traffic),
    snapshot.events.map((event) => encodeEvent(event, snapshot.at, kept)),
  ]);
}

/** What the former format did not have. */
function tailOf(body: z.infer<typeof bodySchema>) {
  return body[0] === FORMAT ? ([body[13], body[14]] as const) : ([null, []] as const);
}

function leastRecentlyUsed(models: readonly ModelStatus[]): readonly ModelStatus[] {
  return models
    .filter(({ state }) => state === 'UNLOADED')
    .toSorted((a, b) => (a.lastUsedAt ?? 0) - (b.lastUsedAt ?? 0));
}

function rounded(mb: number | undefined): number | null {
  return mb === undefined ? null : Math.round(mb);
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
