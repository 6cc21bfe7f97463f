import { CasaLinguaError } from '../../shared/errors.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import type { Manifest } from '../../shared/repository/manifest.ts';

/** The models that can be served, and in words why others, or all, cannot. */
export interface CatalogView {
  readonly manifests: readonly Manifest[];
  readonly reasons: readonly string[];
}

/** Never rejects for a store that is away: that is one of the reasons. */
export async function viewCatalog(catalog: Catalog): Promise<CatalogView> {
  try {
    const manifests = await catalog.models();
    const reasons = [...catalog.problems()].map(([id, error]) => `model ${id}: ${error.message}`);
    return { manifests, reasons: manifests.length + reasons.length > 0 ? reasons : ['no model is published'] };
  } catch (error) {
    if (!(error instanceof CasaLinguaError)) throw error;
    return { manifests: [], reasons: [`the catalog of models cannot be read: ${error.message}`] };
  }
}
