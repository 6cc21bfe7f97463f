import type { CasaLinguaError } from '../../shared/errors.ts';
import type { Catalog } from '../../shared/repository/catalog.ts';
import { UnknownModelError } from '../../shared/repository/errors.ts';
import type { DetectionManifest, Manifest, TranslationManifest } from '../../shared/repository/manifest.ts';

/** A catalog of these manifests, in memory; `problems` tell why others are missing. */
export function createFakeCatalog(
  manifests: readonly Manifest[],
  problems: Readonly<Record<string, CasaLinguaError>> = {},
): Catalog {
  return {
    models: async () => manifests,
    problems: () => new Map(Object.entries(problems)),
    async model(id) {
      const manifest = manifests.find((each) => each.id === id);
      if (manifest === undefined) throw new UnknownModelError(`there is no model ${id}`, { model: id });
      return manifest;
    },
  };
}

const common = {
  schema: 1,
  version: '1',
  engine: 'onnxruntime-web',
  graphs: 'exported',
  files: [],
  memory: { peakMb: 1, residentMb: 1 },
  licence: 'Apache-2.0',
  source: 'made for a test',
} as const;

/** A model for these directions, each written `en>es`. */
export function translationManifest(id: string, ...directions: string[]): TranslationManifest {
  return {
    ...common,
    files: [],
    id,
    task: 'translation',
    pairs: directions.map((direction) => {
      const [source = '', target = ''] = direction.split('>');
      return { source, target };
    }),
    prompt: 'marian',
    generation: { numBeams: 1, maxNewTokens: 128, lengthPenalty: 1 },
    maxSourceTokens: 512,
  };
}

export const detectionManifest: DetectionManifest = {
  ...common,
  files: [],
  id: 'language-detection',
  task: 'language-detection',
  languages: ['en', 'es', 'fr'],
};

/** What ships with the project. */
export const shippedManifests: readonly Manifest[] = [
  detectionManifest,
  translationManifest('translate-en-es', 'en>es'),
  translationManifest('translate-es-en', 'es>en'),
];
