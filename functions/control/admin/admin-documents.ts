import type { WishRecord } from '../../../shared/fleet/wishes/wish-record.ts';
import { languageDirectory, languageName } from '../../../shared/repository/languages.ts';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import { timeOf } from '../../../shared/time-document.ts';
import { heldDocument } from '../health-document.ts';
import type { AdminModel, AdminModels } from './admin-view.ts';
import type { DeployedModels } from './deployed-models.ts';

/** `GET /admin/models`. @param now wall clock ms */
export function adminModelsDocument({ models, reasons }: AdminModels, deployed: DeployedModels, now: number) {
  return {
    timestamp: timeOf(now),
    models: models.map((model) => adminModelDocument(model, deployed, now)),
    reasons,
  };
}

/** `GET /admin/models/{id}`. */
export function adminModelDetailDocument(
  model: AdminModel,
  reasons: readonly string[],
  deployed: DeployedModels,
  now: number,
) {
  const { fleet, carriedOut, wish, manifest } = model;
  return {
    ...adminModelDocument(model, deployed, now),
    timestamp: timeOf(now),
    reasons,
    manifest: manifest === undefined ? null : manifestDocument(manifest),
    instances: fleet.held.map((held) => {
      const seq = carriedOut.get(held.instance) ?? 0;
      return {
        ...heldDocument(held),
        wish_seq: seq === 0 ? null : seq,
        wish_carried_out: wish !== undefined && seq >= wish.seq,
      };
    }),
    last_error: lastError(model),
  };
}

/** `GET /admin/languages`: which model translates what into what, and which find out the language. */
export function adminLanguagesDocument({ models, reasons }: AdminModels, now: number) {
  const manifests = models.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest]));
  const ready = new Map(models.map(({ id, fleet }) => [id, fleet.ready]));
  const directory = languageDirectory(manifests);
  return {
    timestamp: timeOf(now),
    languages: directory.codes.map((code) => ({
      code,
      name: languageName(code),
      targets: directory.targets(code).flatMap((target) => {
        const model = directory.model(code, target);
        if (model === undefined) return [];
        const { id, version } = model;
        return [{ code: target, name: languageName(target), model: id, version, ready: ready.get(id) ?? false }];
      }),
    })),
    detection: manifests.flatMap((manifest) => {
      if (manifest.task !== 'language-detection') return [];
      const { id, version, languages } = manifest;
      return [{ model: id, version, ready: ready.get(id) ?? false, languages: languages.length }];
    }),
    reasons,
  };
}

function adminModelDocument(model: AdminModel, deployed: DeployedModels, now: number) {
  const { id, manifest, fleet, active, versions, wish, carriedOut } = model;
  const pin = deployed.pins.get(id);
  return {
    id,
    task: manifest?.task ?? null,
    active: activeDocument(model),
    versions,
    version_pin: pin === undefined ? null : { version: pin.version, hard: pin.hard },
    always_loaded: deployed.alwaysLoaded.has(id),
    preload: deployed.preloads === 'all' || deployed.preloads.includes(id),
    status: fleet.status,
    ready: fleet.ready,
    loading_progress: fleet.loadingProgress,
    states: fleet.states,
    memory:
      manifest === undefined
        ? null
        : { resident_mb: Math.round(manifest.memory.residentMb), peak_mb: Math.round(manifest.memory.peakMb) },
    memory_mb: Math.round(fleet.held.reduce((sum, held) => sum + held.model.memoryMb, 0)),
    wish: wish === undefined ? null : wishDocument(wish, [...carriedOut.values()], now),
  };

  function activeDocument({ fleet: { version } }: AdminModel) {
    // The deployment's own version serves where nobody has activated another, or nobody can tell.
    if (active === undefined) {
      return version === null ? null : { version, seq: null, by: null, at: null, previous: null };
    }
    const { seq, by, at, previous = null } = active;
    return { version: active.version, seq, by, at: timeOf(at), previous };
  }
}

function wishDocument({ want, seq, by, at, until }: WishRecord, carriedOut: readonly number[], now: number) {
  return {
    want,
    seq,
    by,
    at: timeOf(at),
    until: timeOf(until),
    is_over: until !== undefined && until <= now,
    carried_out: carriedOut.filter((done) => done >= seq).length,
    instances: carriedOut.length,
  };
}

function manifestDocument(manifest: Manifest) {
  const { version, engine, licence, source, fallback = null, files } = manifest;
  return {
    version,
    engine,
    licence,
    source,
    fallback,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    files: files.length,
    pairs: manifest.task === 'translation' ? manifest.pairs : null,
    languages: manifest.task === 'language-detection' ? manifest.languages : null,
  };
}

/** Of the load that began last. */
function lastError({ fleet }: AdminModel) {
  const [latest] = fleet.held
    .filter(({ model }) => model.error !== undefined)
    .toSorted((a, b) => (b.model.startedAt ?? 0) - (a.model.startedAt ?? 0));
  if (latest?.model.error === undefined) return null;
  const { instance, model } = latest;
  return { instance, version: model.version, ...latest.model.error, next_try_at: timeOf(model.nextTryAt) };
}
