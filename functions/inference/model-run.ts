import { WaitExpiredError } from '../../shared/admission/errors.ts';
import type { Gate } from '../../shared/admission/gate.ts';
import { charactersOf, joinPieces } from '../../shared/admission/pieces.ts';
import type { AroundRun, Ride, RunInTurn } from '../../shared/admission/ride.ts';
import { BreakerOpenError } from '../../shared/breaker/errors.ts';
import type { Verdict } from '../../shared/breaker/evidence.ts';
import type { FleetBreaker } from '../../shared/fleet/breaker/fleet-breaker.ts';
import { guardFleet } from '../../shared/fleet/breaker/fleet-guard.ts';
import { ModelLoadingError } from '../../shared/host/errors.ts';
import type { LoadGuard } from '../../shared/host/load-guard.ts';
import type { Lease, LeaseOptions, LoadPriority, ModelHost, ModelStatus } from '../../shared/host/model-host.ts';
import type { ModelState } from '../../shared/host/model-state.ts';
import { DeadlineExceededError } from '../../shared/http/errors.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';
import { WorkerCrashedError } from '../../shared/runtime/errors.ts';
import type { OutputOf, TaskInput, TaskOutput } from '../../shared/runtime/tasks.ts';
import { verdictOfRun } from './breaker-verdict.ts';

/** How a run is made. */
export interface RunOptions extends LeaseOptions {
  readonly signal: AbortSignal;
  /** When it is aborted for want of time, ms since the epoch; undefined: nobody limits it. */
  readonly deadline?: number | undefined;
  /** 0 to 1: what of the request was finished before, for the caller whose deadline passes in this run. */
  readonly done?: number;
  /** 0 to 1: what of it this run is; default: all that is left. */
  readonly share?: number;
}

/**
 * Leases a model, runs one task on it when its turn comes, and gives the lease back.
 * @throws ShedError when it could not be through in time, or makes way for others, BreakerOpenError when the model failed too often lately, or its loads did, ModelLoadingError when the deadline passes while the
 *   model loads, DeadlineExceededError when it passes in the run, and whatever the host and the run throw
 */
export type RunModel = <Input extends TaskInput>(
  manifest: Manifest,
  input: Input,
  options: RunOptions,
) => Promise<OutputOf<Input>>;

/** What a service's request says of its run. */
export function runOptions(request: {
  readonly signal: AbortSignal;
  readonly priority?: LoadPriority | undefined;
  readonly keepAliveMs?: number | undefined;
  readonly deadline?: number | undefined;
}): RunOptions {
  const { signal, priority, keepAliveMs, deadline } = request;
  return {
    signal,
    deadline,
    ...(priority === undefined ? {} : { priority }),
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
  };
}

/** What a request asks before it goes to a model. */
export interface RunGuards {
  /** When what is known of the fleet is fresh enough to go by; undefined: it is. */
  readonly news: () => Promise<void> | undefined;
  /** Who may come in, and whose turn it is. */
  readonly gate: Gate;
  /** What stands before a run of this version. */
  readonly breakerOf: (manifest: Manifest) => FleetBreaker;
  /** What stands before a load. */
  readonly loads: Pick<LoadGuard, 'refusal'>;
  /** Ms of a run, before a deadline that passes in it speaks against the model. */
  readonly fairRunMs: number;
}

/**
 * The only way from a request to a model. Two breakers stand in it, one before the run, and one before a load that this
 * request would cause; and between them the gate.
 */
export function createRunModel(host: ModelHost, guards: RunGuards): RunModel {
  const { news, gate, breakerOf, loads, fairRunMs } = guards;
  const told = new WeakSet<WorkerCrashedError>();

  return async <Input extends TaskInput>(
    manifest: Manifest,
    input: Input,
    { done = 0, share = 1 - done, deadline, ...options }: RunOptions,
  ) => {
    const { signal, priority = 'interactive' } = options;
    const awaited = news();
    if (awaited !== undefined) await awaited;
    const breaker = breakerOf(manifest);
    // Nobody waits for a load, or makes it begin, only to be refused then.
    if (breaker.refuses()) throw breaker.refusal();
    const refusal = refusalOfLoad(manifest);
    if (refusal !== undefined) throw refusal;
    const pieces = gate.pieces(manifest, input, priority);
    const enter = (index: number, continues?: Ride) => {
      const laterCharacters = pieces.slice(index + 1).reduce((sum, piece) => sum + charactersOf(piece), 0);
      const isLoaded = host.isReady(manifest.id);
      const entry = { manifest, input: pieces[index] ?? input, isLoaded, priority, deadline, signal };
      return gate.enter({ ...entry, laterCharacters, continues });
    };
    const guarded = (run: RunInTurn) =>
      guardFleet(breaker, ({ timeoutMs }) => withinProbe(timeoutMs, signal, run), judge);
    let ride = enter(0);
    try {
      const lease = await take(manifest, options);
      const outputs: TaskOutput[] = [];
      try {
        outputs.push(await ride.run(lease, guarded));
        for (let index = 1; index < pieces.length; index++) {
          ride = enter(index, ride);
          outputs.push(await ride.run(lease, (run) => whatHasBegun(guarded, run, signal)));
        }
        return joinPieces(outputs as [OutputOf<Input>, ...OutputOf<Input>[]]);
      } catch (error) {
        if (!isLate(error, signal)) throw error;
        throw lateAtWork(manifest, done + (share * outputs.length) / pieces.length, error);
      } finally {
        lease.release();
      }
    } finally {
      ride.leave();
    }
  };

  /** A worker that crashes takes all with it that it was given: that is one failure, not one for each of them. */
  function judge(thrown: unknown, tookMs: number): Verdict {
    if (thrown instanceof WorkerCrashedError) {
      if (told.has(thrown)) return 'neutral';
      told.add(thrown);
    }
    return verdictOfRun(thrown, tookMs, fairRunMs);
  }

  /** Who can be served without another load, by a version that is READY or a load that is on its way, is not refused. */
  function refusalOfLoad(manifest: Manifest): BreakerOpenError | undefined {
    if (host.isReady(manifest.id)) return undefined;
    const refusal = loads.refusal(manifest);
    if (refusal === undefined) return undefined;
    const { state } = statusOf(manifest) ?? {};
    return state !== undefined && loading.includes(state) ? undefined : refusal;
  }

  function statusOf(manifest: Manifest): ModelStatus | undefined {
    return host.status().find(({ id, version }) => id === manifest.id && version === manifest.version);
  }

  async function take(manifest: Manifest, options: Omit<RunOptions, 'done'>): Promise<Lease> {
    try {
      return await host.lease(manifest, options);
    } catch (error) {
      if (!isDeadline(error, options.signal)) throw error;
      const status = statusOf(manifest);
      if (status === undefined || status.state === 'READY') throw error;
      const percent = Math.floor(status.progress * 100);
      throw new ModelLoadingError(`model ${manifest.id} is still loading (${percent} %)`, {
        model: manifest.id,
        state: status.state,
        retryAfterSeconds: retrySeconds(status),
        cause: error,
      });
    }
  }
}

const loading: readonly ModelState[] = ['DOWNLOADING', 'INITIALIZING', 'WARMING'];

/** Where the host cannot tell how long the load still takes. */
const unknownRetrySeconds = 2;
const mostRetrySeconds = 120;

/** When it is worth coming back for a model that loads. */
function retrySeconds({ secondsLeft }: ModelStatus): number {
  if (secondsLeft === undefined) return unknownRetrySeconds;
  return Math.min(mostRetrySeconds, Math.max(1, Math.ceil(secondsLeft)));
}

/** Whether it was not through in time, in its run or before its turn came. */
function isLate(error: unknown, signal: AbortSignal): boolean {
  return isDeadline(error, signal) || error instanceof ProbeTimeoutError || error instanceof WaitExpiredError;
}

function lateAtWork({ id }: Manifest, progress: number, cause: unknown): DeadlineExceededError {
  const what =
    cause instanceof WaitExpiredError ? `before it was the turn of model ${id}` : `while model ${id} was at work`;
  return new DeadlineExceededError(`the deadline passed ${what}`, { model: id, progress, cause });
}

function isDeadline(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error === signal.reason && error instanceof DeadlineExceededError;
}

/** A request whose first run was let through goes on, though others are refused, or only some let through: its runs are one. */
async function whatHasBegun(guarded: AroundRun, run: RunInTurn, signal: AbortSignal): Promise<TaskOutput> {
  try {
    return await guarded(run);
  } catch (error) {
    // No run itself ends so.
    if (!(error instanceof BreakerOpenError)) throw error;
    return run(signal);
  }
}

/** A probe that takes longer is another instance's: what it says then counts no more. */
class ProbeTimeoutError extends DeadlineExceededError {}

async function withinProbe<T>(
  timeoutMs: number | undefined,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return run(signal);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new ProbeTimeoutError('the probe took too long')), timeoutMs);
  try {
    return await run(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
