import { isAtRest } from '../breaker/breaker-state.ts';
import type { ModelStatus } from '../host/model-host.ts';
import { modelKey } from '../repository/manifest.ts';
import type { InstanceSnapshot } from './instance-snapshot.ts';

/** In words, what keeps an instance from loading what it is asked to. */
export function loadingTroubles({ id, report }: InstanceSnapshot): readonly string[] {
  const { memory, queue } = report;
  return [
    ...(memory.protected && memory.limitMb === undefined
      ? [`instance ${id} cannot read its memory and loads nothing`]
      : []),
    ...(queue.size >= queue.limit ? [`the load queue of instance ${id} is full`] : []),
  ];
}

/** In words, how a model has FAILED; undefined: it has not. */
export function failureOf(model: ModelStatus): string | undefined {
  if (model.state !== 'FAILED') return undefined;
  const { code = 'without a reason', message = '' } = model.error ?? {};
  return `model ${modelKey(model)} FAILED: ${code}${message === '' ? '' : `, ${message}`}`;
}

/** In words, all that keeps an instance from serving as it should. */
export function instanceTroubles(snapshot: InstanceSnapshot): readonly string[] {
  return [
    ...loadingTroubles(snapshot),
    ...snapshot.report.models.flatMap((model) => failureOf(model) ?? []),
    ...snapshot.breakers
      .filter((breaker) => !isAtRest(breaker) && breaker.state !== 'CLOSED')
      .map(({ name, state }) => `the circuit breaker of ${name} is ${state}`),
  ];
}
