import type { Checks } from './checks.ts';
import type { ConfigContent, ConfigFile } from './config-content.ts';
import type { Checked, MemberPath } from './section-source.ts';

/** What a file, or a stage of it, says of the sections. */
export interface FilePart {
  /** By the section's name. */
  readonly sections: Readonly<Record<string, object | undefined>>;
  /** The name under which a person finds a member; the path begins with the section's name. */
  readonly place: (path: MemberPath) => string;
}

/**
 * What a file says, in rising order: its own part and, with a stage, the stage's. All stages are checked, whichever is
 * chosen.
 */
export function readConfigFile(
  file: ConfigFile,
  stage: string | undefined,
  checks: () => Checks,
): Checked<readonly FilePart[]> {
  const content = file.isChecked ? { value: JSON.parse(file.text) as ConfigContent } : checks().file(file);
  if ('problems' in content) return content;
  const placeOf = placesOf(file);
  const { stages, ...own } = content.value;
  const told: FilePart = { sections: own, place: placeOf };
  if (stage === undefined || stages === undefined) return { value: [told] };
  const chosen = Object.hasOwn(stages, stage) ? stages[stage] : undefined;
  if (chosen === undefined) {
    const known = Object.keys(stages).join(', ');
    return { problems: [`CASALINGUA_STAGE must be one of the stages of ${file.name}: ${known || 'it has none'}`] };
  }
  return { value: [told, { sections: chosen, place: (path) => placeOf(['stages', stage, ...path]) }] };
}

/** The name under which a person finds a member of the file. */
export function placesOf({ name }: ConfigFile) {
  return (path: MemberPath) => `${name}: ${path.length === 0 ? 'the file' : path.join('.')}`;
}
