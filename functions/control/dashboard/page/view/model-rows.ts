import { type Access, whyMayNotAct } from '../act/access.ts';
import type { Offer } from '../act/action.ts';
import type { AdminModel, AdminModelsDocument, HealthDocument, WishDocument } from '../read/documents.ts';
import { type Badge, modelBadge } from './badge.ts';
import { countsInWords, megabytes, moment } from './words.ts';

export interface ModelRow {
  readonly id: string;
  readonly version: string;
  readonly state: Badge;
  /** 0 to 1, while it loads. */
  readonly progress: number | undefined;
  readonly where: string;
  readonly memory: string;
  readonly wish: string;
  readonly offers: readonly Offer[];
}

const loading: readonly string[] = ['QUEUED', 'DOWNLOADING', 'INITIALIZING', 'WARMING'];

/** @param now the service's wall clock, ms */
export function modelRows(
  health: HealthDocument,
  admin: AdminModelsDocument | undefined,
  access: Access,
  now: number,
): readonly ModelRow[] {
  const known = new Map(admin?.models.map((model) => [model.id, model]));
  const mayNot = whyMayNotAct(access);
  return health.models.map(({ name, version, status, loading_progress: progress, states }) => {
    const model = known.get(name);
    const held = health.instances.flatMap(({ models }) => models.filter((one) => one.name === name));
    // An instance may serve the old version while the new one loads.
    const isLoading = loading.some((state) => state in states);
    const coming = health.loads.filter((load) => load.model === name).map((load) => load.progress);
    return {
      id: name,
      version: versionInWords(version, model),
      state: modelBadge(status),
      progress: isLoading
        ? Math.max(0, ...(coming.length > 0 ? coming : [status === 'READY' ? 0 : progress]))
        : undefined,
      where: countsInWords(states) || 'nowhere',
      memory: held.length === 0 ? '–' : megabytes(held.reduce((sum, { memory_mb: mb }) => sum + (mb ?? 0), 0)),
      wish: wishInWords(model, now),
      offers: offersFor(name, model, mayNot, now),
    };
  });
}

function versionInWords(version: string | null, model: AdminModel | undefined): string {
  const shown = version ?? 'not published';
  return model?.version_pin?.hard ? `${shown}, fixed by the deployment` : shown;
}

const wanted: Readonly<Record<string, string>> = {
  loaded: 'to be loaded',
  unloaded: 'to be unloaded',
  pinned: 'pinned',
};

function wishInWords(model: AdminModel | undefined, now: number): string {
  const stays = model?.always_loaded || model?.preload ? 'configured to stay' : '';
  const wish = model?.wish;
  if (!wish || wish.is_over) return stays || '–';
  const until = wish.until === null ? '' : ` until ${moment(Date.parse(wish.until), now)}`;
  const done = wish.instances === 0 ? '' : `, taken up by ${wish.carried_out} of ${wish.instances}`;
  const said = `${wanted[wish.want] ?? wish.want} by ${wish.by}${until}${done}`;
  return stays === '' ? said : `${said}; ${stays}`;
}

function offersFor(
  id: string,
  model: AdminModel | undefined,
  mayNot: string | undefined,
  now: number,
): readonly Offer[] {
  const isPinned = model?.wish?.want === 'pinned' && isInForce(model.wish, now);
  return [
    { action: { kind: 'load', model: id }, label: 'Load', whyNot: mayNot },
    {
      action: { kind: 'unload', model: id },
      label: 'Unload',
      whyNot: mayNot ?? whyNotUnload(),
    },
    { action: { kind: isPinned ? 'unpin' : 'pin', model: id }, label: isPinned ? 'Unpin' : 'Pin', whyNot: mayNot },
    {
      action: { kind: 'activate', model: id },
      label: 'Activate…',
      whyNot: mayNot ?? (model?.version_pin?.hard ? 'the deployment decides on the version' : undefined),
    },
  ];

  function whyNotUnload(): string | undefined {
    if (model?.always_loaded || model?.preload) return 'the deployment configures it to stay';
    return isPinned ? 'it is pinned: unpin it first' : undefined;
  }
}

function isInForce({ until, is_over: isOver }: WishDocument, now: number): boolean {
  return !isOver && (until === null || Date.parse(until) > now);
}
