import type * as z from 'zod/mini';
import type { loadingSchema, manifestSchema, promptStyleSchema } from './manifest-schema.ts';

export type Manifest = z.infer<typeof manifestSchema>;
export type Loading = z.infer<typeof loadingSchema>;
export type TranslationManifest = Extract<Manifest, { task: 'translation' }>;
export type DetectionManifest = Extract<Manifest, { task: 'language-detection' }>;
export type ManifestFile = Manifest['files'][number];
export type FileRole = ManifestFile['role'];
export type PromptStyle = z.infer<typeof promptStyleSchema>;

/** `id@version`: the key under which the host holds a model. */
export function modelKey(model: { id: string; version: string }): string {
  return `${model.id}@${model.version}`;
}

/** The files that a load needs, in the manifest's order. */
export function runtimeFiles(manifest: Manifest): ManifestFile[] {
  return manifest.files.filter((file) => file.role !== 'other');
}
