import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { memorySchema } from '../../shared/repository/manifest-schema.ts';
import type { ModelNeeds } from '../config.ts';
import { buildLanguageDetection } from '../models/language-detection/convert.ts';

const MIB = 1024 * 1024;
const description = z.object({ memory: memorySchema });
const models = join(import.meta.dirname, '..', 'models');

/**
 * What the models that come with the project need, by id.
 * @param scratch a folder for the one that is converted first; the others are described where they lie
 */
export async function readShippedNeeds(scratch: string): Promise<ReadonlyMap<string, ModelNeeds>> {
  const languageDetection = join(scratch, 'language-detection');
  await buildLanguageDetection(languageDetection);
  return readModelNeeds([languageDetection, join(models, 'translate-en-es'), join(models, 'translate-es-en')]);
}

/**
 * What the models in these folders need, by id, as their descriptions say; the same figures go into their manifests when they
 * are published.
 * @param folders each named after its model
 */
export function readModelNeeds(folders: readonly string[]): ReadonlyMap<string, ModelNeeds> {
  return new Map(
    folders.map((folder) => {
      const { memory } = description.parse(JSON.parse(readFileSync(join(folder, 'casalingua.json'), 'utf8')));
      return [basename(folder), { ...memory, filesMb: folderBytes(folder) / MIB }];
    }),
  );
}

/** Bytes of all files in a folder, those further below included. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}
