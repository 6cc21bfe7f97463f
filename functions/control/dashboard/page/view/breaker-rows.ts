import { type Access, whyMayNotAct } from '../act/access.ts';
import type { Offer } from '../act/action.ts';
import type { AdminModelsDocument, BreakerDocument, HealthDocument, SharedBreaker } from '../read/documents.ts';
import { type Badge, breakerBadge } from './badge.ts';
import { counted, countsInWords, duration, moment } from './words.ts';

export interface BreakerRow {
  readonly id: string;
  readonly state: Badge;
  /** Whose state it is. */
  readonly where: string;
  readonly why: string;
  /** When the next call is tried. */
  readonly next: string;
  readonly offers: readonly Offer[];
}

/** From the worst on. */
const order: readonly string[] = ['OPEN', 'HALF_OPEN', 'RAMP', 'CLOSED'];
/** The fleet shares these, and an operator can force them. */
const shared = /^(translate|detect|load) /;

/**
 * Those that the service tells of, and those before the versions that are active: a breaker that has never opened is told of by
 * nobody. @param now the service's wall clock, ms
 */
export function breakerRows(
  health: HealthDocument,
  admin: AdminModelsDocument | undefined,
  access: Access,
  now: number,
): readonly BreakerRow[] {
  const mayNot = whyMayNotAct(access);
  const told = new Map(health.breakers.map((breaker) => [breaker.name, breaker]));
  for (const name of ofActiveVersions(admin)) {
    if (!told.has(name)) told.set(name, { name, states: {}, fleet: null });
  }
  return [...told.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((breaker) => rowOf(breaker, health, mayNot, now));
}

function ofActiveVersions(admin: AdminModelsDocument | undefined): readonly string[] {
  return (admin?.models ?? []).flatMap(({ id, task, active }) => {
    if (active === null || task === null) return [];
    const key = `${id}@${active.version}`;
    return [`${task === 'translation' ? 'translate' : 'detect'} ${key}`, `load ${key}`];
  });
}

function rowOf(
  { name, states, fleet }: BreakerDocument,
  { instances }: HealthDocument,
  mayNot: string | undefined,
  now: number,
): BreakerRow {
  const isShared = fleet !== null && fleet.state !== 'CLOSED';
  const state = isShared ? fleet.state : (order.find((one) => one in states) ?? 'CLOSED');
  const own = instances.flatMap(({ id, breakers }) =>
    breakers
      .filter((breaker) => breaker.name === name && breaker.state !== 'CLOSED')
      .map((breaker) => ({ id, breaker })),
  );
  const counts = Object.fromEntries(Object.entries(states).filter(([one]) => one !== 'CLOSED'));
  const isOver = isShared && forceIsOver(fleet, now);
  const probes = own.flatMap(({ breaker }) => breaker.next_probe_at ?? []).sort();
  return {
    id: name,
    state: isOver ? { word: 'CLOSED', tone: 'good' } : breakerBadge(state),
    where: isShared ? 'the whole fleet' : countsInWords(counts) || '–',
    why: isShared
      ? whyShared(fleet, now)
      : own.map(({ id, breaker }) => whyOwn(id, breaker.failures)).join('; ') || '–',
    next: isShared ? nextShared(fleet, now) : nextProbe(probes[0] ?? null, state, now),
    offers: offersFor(name, isShared && fleet.forced !== null, mayNot),
  };
}

function forceIsOver({ forced }: SharedBreaker, now: number): boolean {
  return forced !== null && forced.until !== null && Date.parse(forced.until) <= now;
}

function whyShared(breaker: SharedBreaker, now: number): string {
  const { forced, openings, since } = breaker;
  if (forced !== null) {
    const until = forced.until === null ? '' : ` until ${moment(Date.parse(forced.until), now)}`;
    return forceIsOver(breaker, now) ? `forced by ${forced.by}, which is over` : `${forced.by}${until}: ${forced.why}`;
  }
  const when = since === null ? '' : `since ${moment(Date.parse(since), now)}, `;
  return `${when}calls failed; opened ${counted(openings, 'time', 'times in a row')}`;
}

function whyOwn(instance: string, failures: number): string {
  return `${counted(failures, 'failure', 'failures')} on ${instance}`;
}

function nextShared(breaker: SharedBreaker, now: number): string {
  const { state, probe, forced, next_probe_at: next } = breaker;
  if (forced !== null) {
    if (forced.until === null) return 'when it is released';
    const left = Date.parse(forced.until) - now;
    return left > 0 ? `calls decide in ${duration(left)}` : 'calls decide';
  }
  if (probe !== null) return `${probe.owner} tries one call, for ${duration(now - Date.parse(probe.since))}`;
  return nextProbe(next, state, now);
}

function nextProbe(at: string | null, state: string, now: number): string {
  if (state === 'RAMP') return 'more and more calls go through';
  if (state === 'HALF_OPEN') return 'with the next call';
  if (state !== 'OPEN') return '–';
  if (at === null) return 'not known';
  const left = Date.parse(at) - now;
  return left > 0 ? `in ${duration(left)}` : 'with the next call';
}

function offersFor(name: string, isForced: boolean, mayNot: string | undefined): readonly Offer[] {
  const whyNot = mayNot ?? (shared.test(name) ? undefined : 'each instance has its own: it cannot be forced');
  return [
    { action: { kind: 'open', breaker: name }, label: 'Force open', whyNot },
    { action: { kind: 'closed', breaker: name }, label: 'Force closed', whyNot },
    {
      action: { kind: 'release', breaker: name },
      label: 'Release',
      whyNot: whyNot ?? (isForced ? undefined : 'nobody has forced it'),
    },
  ];
}
