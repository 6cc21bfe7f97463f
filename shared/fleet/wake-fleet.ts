import { messageOf } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { untilAborted } from '../until-aborted.ts';
import { wakeEvent } from '../wake-event.ts';
import type { InvokeLater } from './lambda-invoke.ts';

export interface WakeFleetOptions {
  /** Names or ARNs of the functions that hold models. */
  readonly functions: readonly string[];
  /** Called when it is needed first: most control functions never wake anybody. */
  readonly connect: () => Promise<InvokeLater>;
  /** Ms for all of it; the instances that are awake hear of the news anyway. */
  readonly timeoutMs: number;
  readonly log: Pick<Log, 'warn'>;
}

/** Has one instance of each function look at the news, so that an idle fleet acts. @returns whether all were told; never rejects */
export function createWakeFleet({ functions, connect, timeoutMs, log }: WakeFleetOptions): () => Promise<boolean> {
  let connecting: Promise<InvokeLater> | undefined;
  return async () => {
    if (functions.length === 0) return false;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      connecting ??= connect();
      const invoke = await untilAborted(connecting, signal);
      await untilAborted(Promise.all(functions.map((name) => invoke(name, wakeEvent, signal))), signal);
      return true;
    } catch (thrown) {
      log.warn('fleet.wake_failed', { reason: messageOf(thrown) });
      return false;
    }
  };
}
