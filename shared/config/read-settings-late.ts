import { findConfigFile } from './find-config-file.ts';
import type { Environment } from './read-section.ts';
import { givenIn, needsChecks, type Settings, settingsOf } from './settings.ts';

/** `readSettings` for a start that counts: what checks values that have members is imported where there are some. */
export async function readSettingsLate(env: Environment, configFolder: URL): Promise<Settings> {
  const given = givenIn(env);
  const file = findConfigFile(given, configFolder);
  const checks = needsChecks(given, file) ? (await import('./schema-checks.ts')).schemaChecks : undefined;
  return settingsOf(given, file, () => {
    if (checks === undefined) throw new Error('a value has members and was not expected to');
    return checks;
  });
}
