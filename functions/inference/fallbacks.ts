import type { Manifest } from '../../shared/repository/manifest.ts';
import { rememberLast } from './remember-last.ts';

/** Which model serves for which while that one's circuit breaker is open. */
export interface Fallbacks {
  /** The id of the model's fallback, if it has one. */
  of(manifest: Manifest): string | undefined;
  /** The same models, those last that are another's fallback: with a choice they are the second one. */
  primariesFirst(manifests: readonly Manifest[]): readonly Manifest[];
}

/** @param named ids by id, as the deployment has them; goes before what the manifests say */
export function createFallbacks(named: ReadonlyMap<string, string>): Fallbacks {
  const of = ({ id, fallback }: Manifest) => named.get(id) ?? fallback;
  return {
    of,
    primariesFirst: rememberLast((manifests: readonly Manifest[]) => {
      const seconds = new Set(manifests.map(of));
      const isSecond = ({ id }: Manifest) => Number(seconds.has(id));
      return manifests.toSorted((a, b) => isSecond(a) - isSecond(b));
    }),
  };
}
