import type { ActiveVersionRecord, ActiveVersions } from '../../../shared/fleet/active-versions.ts';
import type { FleetView } from '../../../shared/fleet/instance-snapshot.ts';
import type { TableStore } from '../../../shared/fleet/table/table-store.ts';
import { toWish, WISHES, type WishRecord } from '../../../shared/fleet/wishes/wish-record.ts';
import type { Catalog } from '../../../shared/repository/catalog.ts';
import { UnknownModelError } from '../../../shared/repository/errors.ts';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import { modelIdSchema } from '../../../shared/repository/manifest-schema.ts';
import type { ObjectStore } from '../../../shared/repository/object-store.ts';
import { publishedVersions } from '../../../shared/repository/published-versions.ts';
import { viewCatalog } from '../catalog-view.ts';
import { type FleetModel, fleetModels } from '../fleet-models.ts';
import { attempt } from './attempt.ts';
import type { DeployedModels } from './deployed-models.ts';

export interface AdminViewDeps {
  readonly catalog: Catalog;
  readonly instances: () => Promise<FleetView>;
  readonly objects: Pick<ObjectStore, 'list'>;
  readonly activations: Pick<ActiveVersions, 'read'>;
  readonly table: Pick<TableStore, 'query'>;
  readonly deployed: DeployedModels;
}

/** All that is known of one model. */
export interface AdminModel {
  readonly id: string;
  /** Of the version to serve; undefined when it cannot be read. */
  readonly manifest: Manifest | undefined;
  readonly fleet: FleetModel;
  /** What is active, as an operator made it so; undefined where nobody did, or the store does not tell. */
  readonly active: ActiveVersionRecord | undefined;
  /** Sorted. */
  readonly versions: readonly string[];
  /** The latest, whether or not its time is over. */
  readonly wish: WishRecord | undefined;
  /** By live instance, the `seq` of the wish that it carried out last. */
  readonly carriedOut: ReadonlyMap<string, number>;
}

export interface AdminModels {
  readonly models: readonly AdminModel[];
  /** In words, what could not be read. */
  readonly reasons: readonly string[];
}

/** Reads what operators look at; of now, since they have just changed it. */
export interface AdminView {
  /** Every model of the catalog, and every other that an instance holds, by id. */
  models(): Promise<AdminModels>;
  /** One of them, with all its published versions. @throws UnknownModelError */
  model(id: string): Promise<AdminModels & { readonly models: readonly [AdminModel] }>;
}

const noRecords: ReadonlyMap<string, ActiveVersionRecord> = new Map();
const noWishes: ReadonlyMap<string, WishRecord> = new Map();

export function createAdminView({
  catalog,
  instances,
  objects,
  activations,
  table,
  deployed,
}: AdminViewDeps): AdminView {
  return {
    models,
    async model(id) {
      const known = await models();
      const model = known.models.find((each) => each.id === id);
      if (model === undefined) throw unknown(id, known.reasons);
      const published = await attempt(`the versions of ${id}`, () => publishedVersions(objects, id), []);
      const versions = [...new Set([...model.versions, ...published.value])].sort();
      return { models: [{ ...model, versions }], reasons: [...known.reasons, ...published.reasons] };
    },
  };

  async function models(): Promise<AdminModels> {
    const [published, fleet, wishes] = await Promise.all([
      viewCatalog(catalog),
      instances(),
      attempt('what operators wish', readWishes, noWishes),
    ]);
    // Models that cannot be served are operators' business most of all.
    const missing = [...catalog.problems().keys()].filter((id) => !published.manifests.some((each) => each.id === id));
    const seen = fleetModels(published.manifests, fleet.instances, missing);
    const ids = seen.map(({ name }) => name);
    const records = await attempt('the active versions', () => activations.read(ids), noRecords);
    const manifests = new Map(published.manifests.map((manifest) => [manifest.id, manifest]));
    return {
      models: seen.map((model) => ({
        id: model.name,
        manifest: manifests.get(model.name),
        fleet: model,
        active: records.value.get(model.name),
        versions: versionsOf(model, records.value.get(model.name)),
        wish: wishes.value.get(model.name),
        carriedOut: new Map(fleet.instances.map(({ snapshot }) => [snapshot.id, snapshot.wishes.get(model.name) ?? 0])),
      })),
      reasons: [...published.reasons, ...fleet.reasons, ...wishes.reasons, ...records.reasons],
    };
  }

  async function readWishes(): Promise<ReadonlyMap<string, WishRecord>> {
    const items = await table.query(WISHES);
    return new Map(
      [...items].flatMap(([model, item]) => {
        const wish = toWish(item);
        return wish === undefined ? [] : [[model, wish] as const];
      }),
    );
  }

  function versionsOf({ name, version, held }: FleetModel, record: ActiveVersionRecord | undefined): readonly string[] {
    const known = [
      version,
      record?.version,
      record?.previous,
      deployed.pins.get(name)?.version,
      ...held.map(({ model }) => model.version),
    ];
    return [...new Set(known)].filter((each) => each !== undefined && each !== null).sort();
  }
}

function unknown(id: string, reasons: readonly string[]): UnknownModelError {
  if (!modelIdSchema.safeParse(id).success) return new UnknownModelError('there is no model of that name');
  const why = reasons.length === 0 ? '' : `, as far as can be told: ${reasons.join('; ')}`;
  return new UnknownModelError(`there is no model ${id}${why}`, { model: id });
}
