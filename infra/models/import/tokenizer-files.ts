import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelExport } from './model-export.ts';

/** The tokenizer of an export as JSON; undefined what is missing or is no JSON. */
export interface TokenizerFiles {
  readonly json: unknown;
  readonly config: unknown;
  readonly problems: readonly string[];
}

/** Files of which a tokenizer can be made, but not by what runs here. */
const OLDER = ['source.spm', 'target.spm', 'sentencepiece.bpe.model', 'spiece.model', 'vocab.json', 'vocab.txt'];

export async function readTokenizer(model: ModelExport): Promise<TokenizerFiles> {
  const json = await readJson(model, 'tokenizer.json');
  const config = await readJson(model, 'tokenizer_config.json');
  const problems: string[] = [];
  if (json === undefined) {
    const older = OLDER.filter((name) => model.paths.includes(name));
    const what = model.paths.includes('tokenizer.json') ? 'tokenizer.json is no JSON' : 'there is no tokenizer.json';
    problems.push(
      older.length === 0 ? what : `${what}: it has to be made from ${older.join(', ')} (a "fast" tokenizer)`,
    );
  }
  return { json, config, problems };
}

/** Undefined when it is not there, or no JSON. */
export async function readJson({ folder, paths }: ModelExport, path: string): Promise<unknown> {
  if (!paths.includes(path)) return undefined;
  try {
    return JSON.parse(await readFile(join(folder, path), 'utf8'));
  } catch {
    return undefined;
  }
}
