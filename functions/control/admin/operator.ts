import { CasaLinguaError } from '../../../shared/errors.ts';
import { activateVersion, type VersionActivation } from '../../../shared/fleet/activate-version.ts';
import type { ActiveVersions } from '../../../shared/fleet/active-versions.ts';
import type { FleetState } from '../../../shared/fleet/breaker/digest-entry.ts';
import { forceBreaker, releaseBreaker } from '../../../shared/fleet/breaker/operator-steps.ts';
import type { FleetTable } from '../../../shared/fleet/table/fleet-table.ts';
import type { TableStore } from '../../../shared/fleet/table/table-store.ts';
import type { WishRecord } from '../../../shared/fleet/wishes/wish-record.ts';
import { changeWish, type WantedState, type WishResult } from '../../../shared/fleet/wishes/wish-writer.ts';
import type { Log } from '../../../shared/observability/log.ts';
import type { Catalog } from '../../../shared/repository/catalog.ts';
import { UnknownModelError, UnknownVersionError } from '../../../shared/repository/errors.ts';
import { modelIdSchema } from '../../../shared/repository/manifest-schema.ts';
import type { ObjectStore } from '../../../shared/repository/object-store.ts';
import { publishedVersions } from '../../../shared/repository/published-versions.ts';
import type { ForceRequest } from './admin-input.ts';
import type { DeployedModels } from './deployed-models.ts';
import {
  ModelAlwaysLoadedError,
  ModelPinnedError,
  NotPinnedError,
  UnknownBreakerError,
  VersionPinnedError,
} from './errors.ts';

export type WishAction = 'load' | 'unload' | 'pin' | 'unpin';

export interface OperatorDeps {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly activations: Pick<ActiveVersions, 'activate' | 'current'>;
  readonly table: TableStore;
  /** The same table, for what is written step by step. */
  readonly calls: FleetTable;
  readonly deployed: DeployedModels;
  /** Has instances look at what is wanted, if none does by itself; whether that could be told. Does not reject. */
  readonly wakeFleet: () => Promise<boolean>;
  readonly clock: { now(): number };
  /** Unique wherever it is made. */
  readonly newId: () => string;
  readonly log: Log;
}

export interface WishTold extends WishResult {
  readonly woken: boolean;
}

export interface ActivationTold extends VersionActivation {
  readonly woken: boolean;
}

/** What operators do to the fleet. Every action is logged, with who did it and what came of it. */
export interface Operator {
  /** @throws UnknownModelError, ModelPinnedError, ModelAlwaysLoadedError, NotPinnedError, VersionConflictError, StoreUnavailableError, StoreRefusedError */
  wish(model: string, action: WishAction, options: { by: string; forMs: number | undefined }): Promise<WishTold>;
  /** @throws UnknownModelError, UnknownVersionError, VersionPinnedError, ManifestInvalidError, VersionConflictError, StoreUnavailableError, StoreRefusedError */
  activate(
    model: string,
    wanted: { by: string; version: string; expectedSeq: number | undefined },
  ): Promise<ActivationTold>;
  /** @returns what the breaker is in now. @throws UnknownBreakerError, VersionConflictError, StoreUnavailableError, StoreRefusedError */
  force(breaker: string, request: ForceRequest, by: string): Promise<FleetState>;
}

const DEFAULT_FORCE_MS = 3_600_000;
/** Those before models and before their loads; those before the stores are each instance's own. */
const BREAKER = /^(?:translate|detect|load) (?<model>[a-z0-9][a-z0-9._-]{0,62})@[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export function createOperator(deps: OperatorDeps): Operator {
  const { catalog, objects, activations, table, calls, deployed, wakeFleet, clock, newId, log } = deps;

  return {
    wish: (model, action, { by, forMs }) =>
      told({ by, action, model }, async () => {
        await checkKnown(model);
        if (action === 'unload' && deployed.alwaysLoaded.has(model)) {
          throw new ModelAlwaysLoadedError(`${model} is configured to stay loaded`, { model });
        }
        const until = forMs === undefined ? undefined : clock.now() + forMs;
        const result = await changeWish({ table: calls, clock }, { model, by, request: newId() }, (standing) =>
          wantedBy(action, model, until, pinInForce(standing, clock.now())),
        );
        return { ...result, woken: await wakeFleet() };
      }),

    activate: (model, { by, version, expectedSeq }) =>
      told({ by, action: 'activate', model, version }, async () => {
        if (!deployed.serves(model)) throw unknown(model);
        const pin = deployed.pins.get(model);
        if (pin?.hard) {
          throw new VersionPinnedError(`the deployment serves ${model}@${pin.version}, whatever is active`, { model });
        }
        const wanted = { id: model, version, by, request: newId(), expectedSeq };
        const activation = await activateVersion({ store: objects, active: activations }, wanted).catch((thrown) =>
          explain(thrown, model),
        );
        return { ...activation, woken: activation.changed && (await wakeFleet()) };
      }),

    force: (breaker, request, by) =>
      told({ by, action: request.state, breaker: BREAKER.test(breaker) ? breaker : undefined }, async () => {
        await checkBreaker(breaker);
        if (request.state === 'release') return releaseBreaker(table, breaker);
        const kind = request.state === 'open' ? 'FORCED_OPEN' : 'FORCED_CLOSED';
        const until = clock.now() + (request.for ?? DEFAULT_FORCE_MS);
        return forceBreaker(table, breaker, { kind, by, why: request.why, until }, clock);
      }),
  };

  /** @throws UnknownModelError, StoreUnavailableError, StoreRefusedError */
  async function checkKnown(id: string): Promise<void> {
    const known = (await catalog.models()).some((manifest) => manifest.id === id) || catalog.problems().has(id);
    if (!known) throw unknown(id);
  }

  async function checkBreaker(name: string): Promise<void> {
    const model = BREAKER.exec(name)?.groups?.['model'];
    if (model === undefined) throw new UnknownBreakerError('there is no circuit breaker of that name in the fleet');
    try {
      await checkKnown(model);
    } catch (thrown) {
      if (!(thrown instanceof UnknownModelError)) throw thrown;
      throw new UnknownBreakerError(`there is no model ${model} with a circuit breaker`, { model, cause: thrown });
    }
  }

  /** A version that is not there may be one of a model that is not there. */
  async function explain(thrown: unknown, model: string): Promise<never> {
    if (thrown instanceof UnknownVersionError && (await publishedVersions(objects, model)).length === 0) {
      throw unknown(model);
    }
    throw thrown;
  }

  async function told<Result>(
    fields: Readonly<Record<string, string | undefined>>,
    act: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const result = await act();
      log.info('admin.action', { ...fields, outcome: 'done' });
      return result;
    } catch (thrown) {
      const outcome = thrown instanceof CasaLinguaError ? thrown.code : 'INTERNAL_ERROR';
      // What is no model's name may be anything that somebody typed.
      const model = modelIdSchema.safeParse(fields['model']).success ? fields['model'] : undefined;
      log.warn('admin.action', { ...fields, model, outcome });
      throw thrown;
    }
  }
}

/** The wish that pins the model now, if there is one. */
function pinInForce(standing: WishRecord | undefined, now: number): WishRecord | undefined {
  if (standing?.want !== 'pinned') return undefined;
  return standing.until === undefined || standing.until > now ? standing : undefined;
}

/** @throws ModelPinnedError, NotPinnedError */
function wantedBy(
  action: WishAction,
  model: string,
  until: number | undefined,
  pin: WishRecord | undefined,
): WantedState {
  switch (action) {
    case 'load':
      // The load is tried again, and the pin stays as it is.
      return pin ?? { want: 'loaded', until };
    case 'pin':
      return { want: 'pinned', until };
    case 'unpin':
      if (pin === undefined) throw new NotPinnedError(`${model} is not pinned`, { model });
      return { want: 'loaded' };
    case 'unload':
      if (pin !== undefined) throw new ModelPinnedError(`${model} is pinned by ${pin.by}: unpin it first`, { model });
      return { want: 'unloaded', until };
  }
}

/** A name that no model can have is not repeated. */
function unknown(id: string): UnknownModelError {
  return modelIdSchema.safeParse(id).success
    ? new UnknownModelError(`there is no model ${id}`, { model: id })
    : new UnknownModelError('there is no model of that name');
}
