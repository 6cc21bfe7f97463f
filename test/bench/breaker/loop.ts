/** One call through a breaker, ours and others', in one process and in turns. */
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { guard } from '../../../shared/breaker/guard.ts';
import { guardFleet } from '../../../shared/fleet/breaker/fleet-guard.ts';
import { serve } from '../serve.ts';
import { createOpossum } from './opossum-breaker.ts';
import { createOurs } from './our-breakers.ts';
import { type Decision, type Kind, kinds, type LoopRequest, type Side, sides, type Timed } from './timed.ts';

const RESET_MS = 3_600_000;
const broken = new Error('the call failed');
const works = async () => 1;
const fails = async (): Promise<number> => {
  throw broken;
};

type Through = (call: () => Promise<number>) => Promise<number>;

const cockatiel = (threshold: number): Through => {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: RESET_MS, breaker: new ConsecutiveBreaker(threshold) });
  return (call) => policy.execute(call);
};
const judge = () => 'failure' as const;

const ours = await createOurs(RESET_MS);
const cockatielOpen = cockatiel(1);
await cockatielOpen(fails).catch(() => {});

const through: Readonly<Record<Side, Readonly<Record<Kind, Through>>>> = {
  ours: {
    admitted: (call) => guardFleet(ours.closed, call, judge),
    refused: (call) => guardFleet(ours.open, call, judge),
    failed: (call) => guardFleet(ours.neverOpens, call, judge),
  },
  local: {
    admitted: (call) => guard(ours.local.closed, call, judge),
    refused: (call) => guard(ours.local.open, call, judge),
    failed: (call) => guard(ours.local.neverOpens, call, judge),
  },
  cockatiel: { admitted: cockatiel(5), refused: cockatielOpen, failed: cockatiel(Number.MAX_SAFE_INTEGER) },
  opossum: {
    admitted: createOpossum(works, 'closed', RESET_MS),
    refused: createOpossum(works, 'open', RESET_MS),
    failed: createOpossum(fails, 'never opens', RESET_MS),
  },
};
const bare: Through = (call) => call();

const decide: Readonly<Record<Decision, () => void>> = {
  // As a request does: it asks before it waits for its model, and again before the call.
  admitted: () => {
    if (ours.closed.refuses()) return;
    const ticket = ours.closed.admit();
    if (ticket !== undefined) ours.closed.settle(ticket, 'success', 0);
  },
  refused: () => {
    if (ours.open.refuses()) ours.open.refusal();
  },
  refusedForTheFleet: () => {
    if (ours.openForTheFleet.refuses()) ours.openForTheFleet.refusal();
  },
  localAdmitted: () => {
    const ticket = ours.local.closed.admit();
    if (ticket !== undefined) ours.local.closed.settle(ticket, 'success', 0);
  },
  localRefused: () => {
    if (ours.local.open.admit() === undefined) ours.local.open.refusal();
  },
};

let round = 0;
serve<LoopRequest, Timed>(async ({ calls }) => {
  await ours.renew();
  // Each side comes first in its turn: what a process meets when it has just been woken is nobody's in particular.
  const first = round++ % sides.length;
  const inTurn = [...sides.slice(first), ...sides.slice(0, first)];
  const timed = {
    through: await forEach(kinds, (kind) => forEach(inTurn, (side) => nanoseconds(calls, kind, through[side][kind]))),
    bare: await forEach(['admitted', 'failed'], (kind) => nanoseconds(calls, kind, bare)),
    decision: await forEach(Object.keys(decide) as Decision[], (one) => decisions(calls, decide[one])),
    wake: decisions(calls, () => ours.wake()),
  };
  if (!ours.hasVoted()) throw new Error('the calls that failed made no voter of this instance');
  return timed;
});

/** One after the other. */
async function forEach<Key extends string, Value>(
  keys: readonly Key[],
  measure: (key: Key) => Value | Promise<Value>,
): Promise<Record<Key, Value>> {
  const measured: Partial<Record<Key, Value>> = {};
  for (const key of keys) measured[key] = await measure(key);
  return measured as Record<Key, Value>;
}

async function nanoseconds(calls: number, kind: Kind, through: Through): Promise<number> {
  const call = kind === 'failed' ? fails : works;
  let answered = 0;
  const started = performance.now();
  for (let done = 0; done < calls; done++) {
    try {
      answered += await through(call);
    } catch {
      answered -= 1;
    }
  }
  const ms = performance.now() - started;
  if (answered !== (kind === 'admitted' ? calls : -calls)) throw new Error(`not every call was ${kind}`);
  return (ms / calls) * 1e6;
}

function decisions(calls: number, decide: () => void): number {
  const started = performance.now();
  for (let done = 0; done < calls; done++) decide();
  return ((performance.now() - started) / calls) * 1e6;
}
