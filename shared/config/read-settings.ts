import { findConfigFile } from './find-config-file.ts';
import type { Environment } from './read-section.ts';
import { schemaChecks } from './schema-checks.ts';
import { givenIn, type Settings, settingsOf } from './settings.ts';

/**
 * Reads and checks the environment and the configuration file. An empty variable is an absent one.
 * @param configFolder where the configuration file lies if the environment names none; ends with a slash
 * @throws SettingsInvalidError that names everything that is wrong, where it stands and what would be right.
 */
export function readSettings(env: Environment, configFolder?: URL): Settings {
  const given = givenIn(env);
  return settingsOf(given, findConfigFile(given, configFolder), () => schemaChecks);
}
