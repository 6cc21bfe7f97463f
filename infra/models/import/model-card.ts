/** What the head of a model's card (`README.md`) says, as far as an import wants to know it. */
export interface ModelCard {
  readonly licence?: string;
  readonly baseModel?: string;
  readonly languages: readonly string[];
}

/** @param text a card; its head is YAML between two lines of `---`, of which only plain values and lists are read */
export function readModelCard(text: string): ModelCard {
  const head = /^---\r?\n(.*?)\r?\n---/s.exec(text)?.[1] ?? '';
  const [licence] = valuesOf(head, 'license');
  const [baseModel] = valuesOf(head, 'base_model');
  return {
    ...(licence === undefined ? {} : { licence }),
    ...(baseModel === undefined ? {} : { baseModel }),
    languages: valuesOf(head, 'language'),
  };
}

/** `name: value`, or the lines `- value` after `name:`. */
function valuesOf(head: string, name: string): string[] {
  const lines = head.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith(`${name}:`));
  if (at < 0) return [];
  const value = unquoted(lines[at]?.slice(name.length + 1) ?? '');
  if (value !== '') return [value];
  const after = lines.slice(at + 1);
  const end = after.findIndex((line) => !/^\s*- /.test(line));
  return after.slice(0, end < 0 ? after.length : end).map((line) => unquoted(line.replace(/^\s*- /, '')));
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}
