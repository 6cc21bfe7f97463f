import type { ConfigContent, ConfigFile } from './config-content.ts';
import type { Pin } from './pin.ts';
import type { Scope } from './scopes.ts';
import type { Checked, Section, SectionSource } from './section-source.ts';
import type { Read } from './variables.ts';

/**
 * What checks values that have members, by schemas. It brings zod and the parser of configuration files with it; a start whose
 * environment has no such value goes without.
 */
export interface Checks {
  pins(text: string): Read<Readonly<Record<string, Pin>>>;
  fallbacks(text: string): Read<Readonly<Record<string, string>>>;
  jwtScopes(text: string): Read<Readonly<Record<string, Scope>>>;
  /** All of a file that was not checked before, each of its stages too. */
  file(file: ConfigFile): Checked<ConfigContent>;
  /** What the environment says of a section; an empty variable is an absent one. */
  section(env: Readonly<Record<string, string | undefined>>, section: Section<object>): Checked<SectionSource>;
}
