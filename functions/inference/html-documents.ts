/** A document with markup, and how it reads with other texts between it. */
export interface HtmlDocument {
  /** What is to be translated, in order. */
  readonly texts: readonly string[];
  /** @param replacements one for each of the texts */
  withTexts(replacements: readonly string[]): string;
}

/** Imports the parser, which is half of what a start would take, when markup comes. */
export async function readDocuments(originals: readonly string[]): Promise<readonly HtmlDocument[]> {
  const { findTexts, replaceTexts } = await import('./html.ts');
  return originals.map((original) => {
    const found = findTexts(original);
    return {
      texts: found.map(({ text }) => text),
      withTexts: (replacements) => replaceTexts(original, found, replacements),
    };
  });
}
