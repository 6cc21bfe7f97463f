import type { CircuitBreakerSettings } from '../../shared/config/circuit-breaker.ts';
import type { FleetBreaker } from '../../shared/fleet/breaker/fleet-breaker.ts';
import type { FleetBreakers } from '../../shared/fleet/breaker/fleet-breakers.ts';
import { type Manifest, modelKey } from '../../shared/repository/manifest.ts';
import type { TaskInput } from '../../shared/runtime/tasks.ts';

/** As breakers' names have it. */
const operations: Readonly<Record<TaskInput['task'], string>> = {
  translation: 'translate',
  'language-detection': 'detect',
};

/** The breaker before each version of a model and what it does, e.g. `translate translate-en-es@1.0.0`. */
export function createModelBreakers(
  breakers: FleetBreakers,
  settings: CircuitBreakerSettings,
): (manifest: Manifest) => FleetBreaker {
  // The catalog hands out the same manifest again and again: most lookups make no text.
  const known = new WeakMap<Manifest, FleetBreaker>();
  return (manifest) => {
    const found = known.get(manifest);
    if (found !== undefined) return found;
    const model = modelKey(manifest);
    const breaker = breakers.get(`${operations[manifest.task]} ${model}`, settings, model);
    known.set(manifest, breaker);
    return breaker;
  };
}
