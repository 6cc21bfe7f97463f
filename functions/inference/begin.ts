import { readSettings } from '../../shared/config/read-settings.ts';
import { type Beginnings, beginWith } from './beginnings.ts';

/** The beginnings where nobody counts the milliseconds of a start. @throws SettingsInvalidError */
export function begin(env: NodeJS.ProcessEnv, assets: URL): Beginnings {
  return beginWith(readSettings(env, assets), env, assets);
}
