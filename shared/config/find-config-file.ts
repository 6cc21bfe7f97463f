import type { ConfigFile } from './config-content.ts';
import type { Checked } from './section-source.ts';

export const CONFIG_FILE_NAME = 'model-loading.jsonc';
/** What lies beside the functions' code instead: its content, parsed and checked when they were bundled. */
export const CHECKED_CONFIG_FILE_NAME = 'model-loading.checked.json';

/**
 * The file that CASALINGUA_CONFIG_FILE names, which must be there, or else the one in the folder, which need not be.
 * @param folder ends with a slash
 */
export function findConfigFile(
  env: Readonly<Record<string, string | undefined>>,
  folder: URL | undefined,
): Checked<ConfigFile | undefined> {
  const named = env['CASALINGUA_CONFIG_FILE'];
  if (named) return readText(named, 'CASALINGUA_CONFIG_FILE', { name: named, isChecked: false });
  if (folder === undefined) return { value: undefined };
  const name = CONFIG_FILE_NAME;
  const checked = readText(new URL(CHECKED_CONFIG_FILE_NAME, folder), name, { name, isChecked: true });
  if ('problems' in checked || checked.value !== undefined) return checked;
  return readText(new URL(name, folder), name, { name, isChecked: false });
}

/** @returns no value for a file of a folder that is not there */
function readText(path: string | URL, which: string, file: Omit<ConfigFile, 'text'>): Checked<ConfigFile | undefined> {
  try {
    // An import of it would load Node's streams too, in every start.
    const { readFileSync } = process.getBuiltinModule('node:fs');
    // Some editors begin a file with a mark of its byte order, which is no JSON.
    return { value: { ...file, text: readFileSync(path, 'utf8').replace(/^\uFEFF/, '') } };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (path instanceof URL && code === 'ENOENT') return { value: undefined };
    return { problems: [`${which} must be a file that can be read: ${file.name} (${code})`] };
  }
}
