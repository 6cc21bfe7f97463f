/** Whether there is anything to translate: an emoji, a number or a line of dashes comes back as it is. */
export function hasWords(text: string): boolean {
  return /\p{L}/u.test(text);
}

/** Characters as people and LibreTranslate count them: code points. */
export function countCharacters(text: string): number {
  // Most scripts have none, and V8 need not even look where it keeps a text as Latin-1.
  if (!/[\ud800-\udbff]/.test(text)) return text.length;
  let surrogatePairs = 0;
  for (let index = 0; index < text.length - 1; index += 1) {
    if (isHigh(text.charCodeAt(index)) && isLow(text.charCodeAt(index + 1))) surrogatePairs += 1;
  }
  return text.length - surrogatePairs;
}

/** Words as whitespace parts them. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** How much there is to do, for the log. */
export function workOf(texts: readonly string[]): { texts: number; characters: number } {
  let characters = 0;
  for (const text of texts) characters += text.length;
  return { texts: texts.length, characters };
}
