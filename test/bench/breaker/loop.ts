/** One call through a breaker, ours and others', in one process and in turns. */
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { Breaker } from '../../../shared/breaker/breaker.ts';
import { createBreakerClock } from '../../../shared/breaker/breaker-clock.ts';
import { guard } from '../../../shared/breaker/guard.ts';
import { breakerSettings } from '../../support/breaker-settings.ts';
import { serve } from '../serve.ts';
import { createOpossum } from './opossum-breaker.ts';

export interface LoopRequest {
  /** Of each kind. */
  readonly calls: number;
}

/** Ns for each call. */
export type Kind = 'admitted' | 'refused' | 'failed';
export interface Timed {
  readonly ours: Readonly<Record<Kind, number>>;
  readonly cockatiel: Readonly<Record<Kind, number>>;
  readonly opossum: Readonly<Record<Kind, number>>;
  /** The call itself, without a breaker; where it fails, most of it is the throw and the catch of the language. */
  readonly bare: Readonly<Record<'admitted' | 'failed', number>>;
  /** Our decision alone, without the call and its promise; of a refusal with the error for the caller. */
  readonly decision: Readonly<Record<'admitted' | 'refused', number>>;
}

/** Failures that never come together. */
const NEVER = 1_000_000_000;
const RESET_MS = 3_600_000;
const broken = new Error('the call failed');
const works = async () => 1;
const fails = async (): Promise<number> => {
  throw broken;
};

type Through = (call: () => Promise<number>) => Promise<number>;

function ourBreaker(failureThreshold: number): Breaker {
  return new Breaker({
    name: 'translate m@1',
    settings: breakerSettings({ failureThreshold, resetMs: RESET_MS }),
    clock: createBreakerClock(Date.now),
    onTransition: () => {},
  });
}

const judge = () => 'failure' as const;
const ours = (breaker: Breaker): Through => {
  return (call) => guard(breaker, call, judge);
};
const cockatiel = (threshold: number): Through => {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: RESET_MS, breaker: new ConsecutiveBreaker(threshold) });
  return (call) => policy.execute(call);
};

const ourOpen = ourBreaker(1);
const cockatielOpen = cockatiel(1);
await ours(ourOpen)(fails).catch(() => {});
await cockatielOpen(fails).catch(() => {});

const through = {
  ours: { admitted: ours(ourBreaker(5)), refused: ours(ourOpen), failed: ours(ourBreaker(NEVER)) },
  cockatiel: { admitted: cockatiel(5), refused: cockatielOpen, failed: cockatiel(NEVER) },
  opossum: {
    admitted: createOpossum(works, 'closed', RESET_MS),
    refused: createOpossum(works, 'open', RESET_MS),
    failed: createOpossum(fails, 'never opens', RESET_MS),
  },
} as const;
const decided = ourBreaker(5);

serve<LoopRequest, Timed>(async ({ calls }) => {
  const timed = {
    ours: { admitted: 0, refused: 0, failed: 0 },
    cockatiel: { admitted: 0, refused: 0, failed: 0 },
    opossum: { admitted: 0, refused: 0, failed: 0 },
  };
  for (const kind of ['admitted', 'refused', 'failed'] as const) {
    for (const side of ['ours', 'cockatiel', 'opossum'] as const) {
      timed[side][kind] = await nanoseconds(calls, kind, through[side][kind]);
    }
  }
  const bare: Through = (call) => call();
  return {
    ...timed,
    bare: { admitted: await nanoseconds(calls, 'admitted', bare), failed: await nanoseconds(calls, 'failed', bare) },
    decision: {
      admitted: decisions(calls, () => {
        const ticket = decided.admit();
        if (ticket !== undefined) decided.settle(ticket, 'success', 0);
      }),
      refused: decisions(calls, () => {
        if (ourOpen.admit() === undefined) ourOpen.refusal();
      }),
    },
  };
});

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
