import type { LocalStack } from '../../infra/local/local-stack.ts';
import type { ModelState } from '../../shared/host/model-state.ts';

/** What `/health/detailed` says of a model on one instance; the members that tests look at. */
export interface HeldModel {
  readonly name: string;
  readonly state: ModelState;
  readonly loading_progress: number;
  readonly bytes_loaded: number;
  readonly bytes_total: number;
  readonly memory_mb: number;
  readonly attempts: number;
  readonly next_try_at: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
}

export interface Health {
  readonly status: string;
  readonly models: readonly { readonly name: string; readonly status: ModelState; readonly ready: boolean }[];
  readonly instances: readonly {
    readonly memory: { readonly used_mb: number; readonly reserved_mb: number };
    readonly models: readonly HeldModel[];
  }[];
  readonly reasons: readonly string[];
}

/** What anybody sees; up to a second old, as the control function remembers it. */
export async function healthOf({ url }: Pick<LocalStack, 'url'>): Promise<Health> {
  return (await (await fetch(`${url}/health/detailed`)).json()) as Health;
}

/** The furthest state of each model, by its name. */
export async function statesOf(stack: Pick<LocalStack, 'url'>): Promise<Readonly<Record<string, ModelState>>> {
  return Object.fromEntries((await healthOf(stack)).models.map(({ name, status }) => [name, status]));
}

/** A model on the first instance that holds it. */
export async function heldModel(stack: Pick<LocalStack, 'url'>, name: string): Promise<HeldModel | undefined> {
  const { instances } = await healthOf(stack);
  return instances.flatMap(({ models }) => models).find((model) => model.name === name);
}
