import type { Access } from '../act/access.ts';
import type { Offer } from '../act/action.ts';
import type { AdminModelsDocument, HealthDocument } from '../read/documents.ts';
import { type BreakerRow, breakerRows } from '../view/breaker-rows.ts';
import { type EventRow, eventRows } from '../view/event-rows.ts';
import { type InstanceRow, instanceRows } from '../view/instance-rows.ts';
import { type LoadRow, loadRows } from '../view/load-rows.ts';
import { type ModelRow, modelRows } from '../view/model-rows.ts';
import { overviewOf, type Tile } from '../view/overview.ts';
import { byId, make, setAttribute, setText } from './elements.ts';
import { KeyedList } from './keyed-list.ts';
import { badge, type Cell, createTable, named, offers, progress, showBadge, words } from './table.ts';

/** What the sections are made of. */
export interface Figures {
  readonly health: HealthDocument;
  readonly models: AdminModelsDocument | undefined;
  readonly access: Access;
  /** Undefined while it is not known. */
  readonly requestsPerSecond: number | undefined;
}

export interface Sections {
  /** @param now the service's wall clock, ms */
  show(figures: Figures, now: number): void;
}

/** Everything but the charts. @param choose an action was chosen */
export function createSections(choose: (offer: Offer) => void): Sections {
  const tiles = new KeyedList<Tile>(byId('tiles', HTMLElement), { keyOf: ({ name }) => name, make: makeTile });
  const reasons = new KeyedList<string>(byId('reasons', HTMLElement), { keyOf: (reason) => reason, make: makeReason });
  const models = createTable<ModelRow>('models', [
    named(({ id, version }) => [id, version]),
    modelState,
    words(({ where }) => where),
    words(({ memory }) => memory),
    words(({ wish }) => wish),
    offers(
      (row) => row.offers,
      ({ id }) => id,
      choose,
    ),
  ]);
  const loads = createTable<LoadRow>('loads', [
    named(({ model, instance }) => [model, instance]),
    badge(({ phase }) => phase),
    progress(
      (row) => row.progress,
      ({ done }) => done,
    ),
    words(({ left }) => left),
  ]);
  const breakers = createTable<BreakerRow>('breakers', [
    words(({ id }) => id),
    badge(({ state }) => state),
    words(({ where }) => where),
    words(({ why }) => why),
    words(({ next }) => next),
    offers(
      (row) => row.offers,
      ({ id }) => id,
      choose,
    ),
  ]);
  const instances = createTable<InstanceRow>('instances', [
    named(({ id, origin }) => [id, origin]),
    badge(({ state }) => state),
    words(({ heard }) => heard),
    words(({ uptime }) => uptime),
    memoryOfInstance,
    words(({ cpu }) => cpu),
    words((row) => row.models),
    words(({ traffic }) => traffic),
  ]);
  // Who has no mouse scrolls by keys.
  byId('events-scroll', HTMLElement).tabIndex = 0;
  const events = createTable<EventRow>('events', [
    words(({ time }) => time),
    named(({ subject, instance }) => [subject, instance]),
    badge(
      ({ state }) => state,
      ({ detail }) => detail,
    ),
  ]);

  return {
    show({ health, models: admin, access, requestsPerSecond }, now) {
      const overview = overviewOf(health, requestsPerSecond);
      showBadge(byId('status', HTMLElement), overview.status);
      setText(document.head.querySelector('title') ?? document.body, `${overview.status.word} · CasaLingua`);
      reasons.show([...new Set(overview.reasons)]);
      tiles.show(overview.tiles);
      models.show(modelRows(health, admin, access, now));
      loads.show(loadRows(health.loads));
      breakers.show(breakerRows(health, admin, access, now));
      instances.show(instanceRows(health.instances, now));
      events.show(eventRows(health.events, now));
    },
  };
}

function makeTile() {
  const name = make('dt');
  const figure = make('dd', { class: 'figure' });
  const note = make('dd', { class: 'note' });
  return {
    element: make('div', { class: 'tile' }, name, figure, note),
    update: (tile: Tile) => {
      setText(name, tile.name);
      setText(figure, tile.figure);
      setText(note, tile.note);
    },
  };
}

function makeReason() {
  const element = make('li');
  return { element, update: (reason: string) => setText(element, reason) };
}

/** With how far the load is, while there is one. */
const modelState: Cell<ModelRow> = (cell) => {
  const updateBadge = badge<ModelRow>(({ state }) => state)(cell);
  const updateProgress = progress<ModelRow>(
    (row) => row.progress,
    (row) => `${Math.floor((row.progress ?? 0) * 100)} % loaded`,
  )(cell);
  return (row) => {
    updateBadge(row);
    updateProgress(row);
  };
};

const memoryOfInstance: Cell<InstanceRow> = (cell) => {
  const meter = make('meter', { min: '0' });
  const text = make('span', { class: 'note' });
  cell.append(meter, text);
  return ({ memory, memoryInWords }) => {
    meter.hidden = memory === undefined;
    meter.max = memory?.limit ?? 1;
    meter.high = (memory?.limit ?? 1) * 0.85;
    meter.value = memory?.used ?? 0;
    setAttribute(meter, 'aria-label', memoryInWords);
    setText(text, memoryInWords);
  };
};
