import type { HealthDocument } from '../read/documents.ts';

/** Of several at once, so many are told; who listens can still look. */
const MOST_TOLD = 3;

/** What a listener wants to hear of the difference between two readings, in sentences; figures that merely move are no news. */
export function newsOf(before: HealthDocument, after: HealthDocument): readonly string[] {
  const news = [
    ...statusNews(before, after),
    ...modelNews(before, after),
    ...breakerNews(before, after),
    ...instanceNews(before, after),
  ];
  const more = news.length - MOST_TOLD;
  return more > 0 ? [...news.slice(0, MOST_TOLD), `And ${more} more changes.`] : news;
}

function statusNews(before: HealthDocument, after: HealthDocument): readonly string[] {
  if (before.status === after.status) return [];
  const [reason] = after.reasons;
  return [`The fleet is ${after.status}${reason === undefined || after.status === 'healthy' ? '' : `: ${reason}`}.`];
}

/** Phases of a load are seen, not told: where it begins, and where it ends. */
function modelNews(before: HealthDocument, after: HealthDocument): readonly string[] {
  const states = new Map(before.models.map(({ name, status }) => [name, status]));
  return after.models.flatMap(({ name, status }) => {
    const was = states.get(name);
    if (was === undefined || toldState(was) === toldState(status)) return [];
    return [`${name} is ${toldState(status)}.`];
  });
}

function toldState(status: string): string {
  return ['QUEUED', 'DOWNLOADING', 'INITIALIZING', 'WARMING'].includes(status) ? 'loading' : status;
}

function breakerNews(before: HealthDocument, after: HealthDocument): readonly string[] {
  const was = breakerStates(before);
  const is = breakerStates(after);
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    const [from = 'CLOSED', to = 'CLOSED'] = [was.get(name), is.get(name)];
    return from === to ? [] : [`The breaker of ${name} is ${to.replaceAll('_', ' ')}.`];
  });
}

function breakerStates({ breakers }: HealthDocument): Map<string, string> {
  return new Map(
    breakers.map(({ name, states, fleet }) => {
      const own = ['OPEN', 'HALF_OPEN', 'RAMP'].find((state) => state in states) ?? 'CLOSED';
      return [name, fleet === null || fleet.state === 'CLOSED' ? own : fleet.state];
    }),
  );
}

function instanceNews(before: HealthDocument, after: HealthDocument): readonly string[] {
  const was = new Map(before.instances.map(({ id, stale }) => [id, stale]));
  const is = new Map(after.instances.map(({ id, stale }) => [id, stale]));
  return [
    ...[...is].flatMap(([id, stale]) => {
      const before = was.get(id);
      if (before === undefined) return [`Instance ${id} has started.`];
      if (before === stale) return [];
      return [stale ? `Instance ${id} is stale: it says nothing any more.` : `Instance ${id} is live again.`];
    }),
    ...[...was.keys()].filter((id) => !is.has(id)).map((id) => `Instance ${id} is gone.`),
  ];
}
