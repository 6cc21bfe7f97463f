import { callerInWords, whyMayNotAct } from './act/access.ts';
import type { Offer } from './act/action.ts';
import { pursue } from './act/pursuit.ts';
import { createActionDialog } from './dom/action-dialog.ts';
import { createCharts } from './dom/charts.ts';
import { startTheme } from './dom/colours.ts';
import { byId, setHidden, setText } from './dom/elements.ts';
import { createKeyDialog } from './dom/key-dialog.ts';
import { createSections } from './dom/sections.ts';
import { type MemorySample, memorySampleOf, memorySamplesOf } from './history/memory-history.ts';
import { joined, withSample } from './history/samples.ts';
import { TrafficMeter, type TrafficSample } from './history/traffic-history.ts';
import type { AccessDocument, AdminModel, MemorySnapshotsDocument } from './read/documents.ts';
import { FleetReader, type Reading } from './read/fleet-reader.ts';
import { createKeyStore } from './read/key-store.ts';
import { Poller } from './read/poller.ts';
import { createService, inWords } from './read/service.ts';
import { freshnessOf } from './view/freshness.ts';
import { newsOf } from './view/news.ts';

/** The page's composition root: what it shows, where it comes from, and what buttons do. */

/** How long after an action something is expected to happen. */
const ACTED_MS = 60_000;
const REFUSED_MS = 10_000;
const TICK_MS = 1_000;

const keys = createKeyStore(() => sessionStorage);
const service = createService({
  base: new URL('../', import.meta.url).href,
  fetch: (url, init) => fetch(url, init),
  key: keys.read,
  timeout: (ms) => AbortSignal.timeout(ms),
});
const meter = new TrafficMeter();
let memory: readonly MemorySample[] = [];
let traffic: readonly TrafficSample[] = [];
let actedAt = Number.NEGATIVE_INFINITY;
let wasStale = false;
/** Why a button that was pressed does nothing. */
let refused = { words: '', until: 0 };
/** The page asks for a key by itself once; then it is said where to enter one. */
let hasAsked = false;

const reader = new FleetReader({ service, now: Date.now, isBusy, changed, remembered });
const poller = new Poller({
  read: (signal) => reader.read(signal),
  situation: () => ({ isBusy: isBusy(), isHidden: document.hidden }),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  now: Date.now,
  random: Math.random,
});
const sections = createSections(choose);
const charts = createCharts(showCharts);
const actionDialog = createActionDialog({
  lookUp: async (model) => {
    const answer = await service.get<AdminModel>(`admin/models/${encodeURIComponent(model)}`);
    return answer.ok ? answer.body : reader.reading.models?.models.find(({ id }) => id === model);
  },
  send: ({ path, body }) => service.post(path, body),
  done() {
    actedAt = Date.now();
    poller.readNow();
  },
  pursue: (action, answer) => {
    const { health, models } = reader.reading;
    if (health === undefined) return { words: 'Accepted.', progress: undefined, isOver: true };
    return pursue(action, answer, health, models, serviceNow());
  },
});
const keyDialog = createKeyDialog({ use: tryKey, forget: forgetKey, hasKey: () => keys.read() !== undefined });

startTheme(byId('theme', HTMLSelectElement), charts.recolour);
setHidden(byId('script-missing', HTMLElement), true);
byId('key-button', HTMLButtonElement).addEventListener('click', () => keyDialog.open(whyKey()));
byId('alarm-button', HTMLButtonElement).addEventListener('click', () => {
  if (poller.isLocked) keyDialog.open(whyKey());
  else poller.readNow();
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  poller.reconsider();
  tick();
});
setInterval(tick, TICK_MS);
poller.restart();

/** The service's wall clock, by its last word: ages are right whatever this machine's clock says. */
function serviceNow(): number {
  const { health, readAt } = reader.reading;
  if (health === undefined || readAt === undefined) return Date.now();
  return Date.parse(health.timestamp) + Math.max(0, Date.now() - readAt);
}

function isBusy(): boolean {
  const { health } = reader.reading;
  const isLoading = health?.loads.some(({ stale }) => !stale) ?? false;
  return isLoading || actionDialog.isPursuing || Date.now() - actedAt < ACTED_MS;
}

function changed(before: Reading): void {
  const { health, readAt, failure } = reader.reading;
  if (health !== undefined && readAt !== before.readAt) {
    const at = Date.parse(health.timestamp);
    memory = withSample(memory, memorySampleOf(health, at));
    traffic = withSample(traffic, meter.read(health, at));
    if (before.health !== undefined) tell(newsOf(before.health, health));
    showCharts();
  }
  if (failure?.kind === 'unauthenticated' && !hasAsked && keys.read() === undefined) {
    hasAsked = true;
    keyDialog.open(whyKey());
  }
  // The poller hears of the outcome after this: what it plans is shown with the next tick.
  tick();
}

function remembered(snapshots: MemorySnapshotsDocument): void {
  memory = joined(memorySamplesOf(snapshots), memory);
}

/** What moves with time, and what has been read. */
function tick(): void {
  if (document.hidden) return;
  const { health, models, access, readAt, failure } = reader.reading;
  if (health !== undefined) {
    sections.show({ health, models, access, requestsPerSecond: traffic.at(-1)?.requestsPerSecond }, serviceNow());
    actionDialog.refresh();
  }
  setText(byId('act-hint', HTMLElement), actHint());
  setText(byId('key-button', HTMLElement), callerInWords(access, keys.read() !== undefined));
  const { words, isStale, alarm } = freshnessOf({
    ageMs: readAt === undefined ? undefined : Date.now() - readAt,
    failure,
    failures: poller.failures,
    nextInMs: poller.nextInMs,
    isHidden: document.hidden,
  });
  setText(byId('freshness', HTMLElement), words);
  document.body.classList.toggle('is-stale', isStale);
  setHidden(byId('alarm', HTMLElement), alarm === undefined);
  if (alarm !== undefined) {
    setText(byId('alarm-title', HTMLElement), alarm.title);
    setText(byId('alarm-text', HTMLElement), alarm.text);
    setText(byId('alarm-button', HTMLElement), alarm.kind === 'key' ? 'Enter a key' : 'Try now');
  }
  if (isStale !== wasStale) {
    wasStale = isStale;
    tell([alarm === undefined ? 'The figures are those of now again.' : alarm.title]);
  }
}

function actHint(): string {
  if (Date.now() < refused.until) return refused.words;
  const { access, otherFailure } = reader.reading;
  const whyNot = otherFailure === undefined ? whyMayNotAct(access) : inWords(otherFailure);
  return whyNot === undefined ? '' : `Actions: ${whyNot}.`;
}

function showCharts(): void {
  charts.show(memory, traffic, serviceNow());
}

/** For those who do not see it. */
function tell(news: readonly string[]): void {
  if (news.length > 0) byId('news', HTMLElement).textContent = news.join(' ');
}

function choose({ action, label, whyNot }: Offer): void {
  if (whyNot === undefined) void actionDialog.open(action);
  else {
    refused = { words: `${label} cannot be done: ${whyNot}.`, until: Date.now() + REFUSED_MS };
    tell([refused.words]);
    tick();
  }
}

function whyKey(): string {
  const { failure, access } = reader.reading;
  if (failure !== undefined && poller.isLocked) return `The service says: ${inWords(failure)}.`;
  const whyNot = whyMayNotAct(access);
  return whyNot === undefined
    ? 'You may look and act with the key that is in use.'
    : `You may look. To act, ${whyNot}.`;
}

async function tryKey(key: string): Promise<string | undefined> {
  const former = keys.read();
  keys.write(key);
  const answer = await service.get<AccessDocument>('admin/access');
  const isWrong = !answer.ok && answer.failure.kind !== 'silent';
  if (isWrong) {
    if (former === undefined) keys.forget();
    else keys.write(former);
    return `${inWords(answer.failure)}.`;
  }
  reader.forgetCaller();
  poller.restart();
  return undefined;
}

function forgetKey(): void {
  keys.forget();
  reader.forgetCaller();
  poller.restart();
}
