import { isOverdue } from '../read/poll-schedule.ts';
import { type Failure, inWords } from '../read/service.ts';
import { age, duration } from './words.ts';

/** How the page and the service stand to each other. */
export interface Connection {
  /** Ms since the figures that are shown were read; undefined: none were yet. */
  readonly ageMs: number | undefined;
  /** Of the last reading. */
  readonly failure: Failure | undefined;
  /** Readings in a row that failed. */
  readonly failures: number;
  /** Until the next one; undefined: it is under way, or there will be none. */
  readonly nextInMs: number | undefined;
  readonly isHidden: boolean;
}

/** What is to be seen above everything else. */
export interface Alarm {
  /** What can be done about it. */
  readonly kind: 'key' | 'retry';
  readonly title: string;
  readonly text: string;
}

export interface Freshness {
  readonly words: string;
  /** The figures are not those of now. */
  readonly isStale: boolean;
  readonly alarm: Alarm | undefined;
}

/** One reading that failed is no matter as long as the figures are young. */
const FAILURES_THAT_MATTER = 2;

export function freshnessOf(connection: Connection): Freshness {
  const { ageMs, failure } = connection;
  const words = ageMs === undefined ? 'not read yet' : `read ${age(ageMs)} ago`;
  if (failure?.kind === 'unauthenticated' || failure?.kind === 'forbidden') {
    const title = failure.kind === 'forbidden' ? 'This key may not look' : 'A key is needed';
    return {
      words,
      isStale: true,
      alarm: { kind: 'key', title, text: `${sentence(inWords(failure))}${oldFigures(ageMs)}` },
    };
  }
  const isOld = ageMs !== undefined && isOverdue(ageMs, connection.isHidden);
  const isFailing = failure !== undefined && (ageMs === undefined || connection.failures >= FAILURES_THAT_MATTER);
  if (!isOld && !isFailing) return { words, isStale: false, alarm: undefined };
  const title = ageMs === undefined ? 'Nothing could be read yet' : `These figures are ${age(ageMs)} old`;
  const why = failure === undefined ? 'The next reading is late' : sentence(inWords(failure));
  return { words, isStale: true, alarm: { kind: 'retry', title, text: `${why} ${again(connection.nextInMs)}`.trim() } };
}

function oldFigures(ageMs: number | undefined): string {
  return ageMs === undefined ? '' : ` What is shown is ${age(ageMs)} old.`;
}

function again(nextInMs: number | undefined): string {
  return nextInMs === undefined ? 'Trying now.' : `Next try in ${duration(Math.max(1_000, nextInMs))}.`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`;
}
