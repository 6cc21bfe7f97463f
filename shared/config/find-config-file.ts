import { readFileSync } from 'node:fs';
import type { ConfigFile } from './config-file.ts';
import type { Checked } from './section-source.ts';

/** As it lies beside the functions' code. */
export const CONFIG_FILE_NAME = 'model-loading.jsonc';

/**
 * The file that CASALINGUA_CONFIG_FILE names, which must be there, or else the one in the folder, which need not be.
 * @param folder ends with a slash
 */
export function findConfigFile(
  env: Readonly<Record<string, string | undefined>>,
  folder: URL | undefined,
): Checked<ConfigFile | undefined> {
  const named = env['CASALINGUA_CONFIG_FILE'];
  const path = named || (folder === undefined ? undefined : new URL(CONFIG_FILE_NAME, folder));
  if (path === undefined) return { value: undefined };
  const name = named || CONFIG_FILE_NAME;
  try {
    // Some editors begin a file with a mark of its byte order, which is no JSON.
    return { value: { name, text: readFileSync(path, 'utf8').replace(/^\uFEFF/, '') } };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (!named && code === 'ENOENT') return { value: undefined };
    const which = named ? 'CASALINGUA_CONFIG_FILE' : CONFIG_FILE_NAME;
    return { problems: [`${which} must be a file that can be read: ${name} (${code})`] };
  }
}
