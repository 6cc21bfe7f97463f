import { randomUUID } from 'node:crypto';
import type { Outcome } from './local-function.ts';

/** A function that is called again and again, as EventBridge does. */
export interface Schedule {
  readonly function: string;
  /** Ms from the front's start to the first call. */
  readonly firstMs: number;
  /** Ms from call to call, however long one takes. */
  readonly everyMs: number;
}

/** What came of one call. */
export interface ScheduleNote {
  readonly type: 'scheduled';
  readonly function: string;
  readonly outcome: Outcome['type'];
  readonly ms: number;
}

/** @returns what ends the calls; those that are under way go on */
export function startSchedule(
  { function: name, firstMs, everyMs }: Schedule,
  invoke: (event: object) => Promise<Outcome>,
  note: (note: ScheduleNote) => void,
): () => void {
  let timer: NodeJS.Timeout;
  const call = async () => {
    timer = setTimeout(call, everyMs);
    const started = performance.now();
    const { type } = await invoke(scheduledEvent(name, new Date()));
    note({ type: 'scheduled', function: name, outcome: type, ms: performance.now() - started });
  };
  timer = setTimeout(call, firstMs);
  return () => clearTimeout(timer);
}

/** EventBridge's event, as a rule with a schedule sends it. */
function scheduledEvent(name: string, now: Date): object {
  const account = '000000000000';
  const region = 'eu-central-1';
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account,
    time: now.toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [`arn:aws:events:${region}:${account}:rule/${name}`],
    detail: {},
  };
}
