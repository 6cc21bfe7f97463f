/** A text cut up: sentences to translate and, around them, what is kept as it is. Joined, they are the text. */
export interface Piece {
  readonly text: string;
  readonly translate: boolean;
}

const segmenters = new Map<string, Intl.Segmenter>();

/** ICU's sentence rules; making one costs more than using it. */
function segmenterOf(language: string): Intl.Segmenter {
  let segmenter = segmenters.get(language);
  if (segmenter === undefined) {
    segmenter = new Intl.Segmenter(supportedLocale(language), { granularity: 'sentence' });
    segmenters.set(language, segmenter);
  }
  return segmenter;
}

function supportedLocale(language: string): string {
  try {
    return Intl.getCanonicalLocales(language)[0] ?? 'en';
  } catch {
    return 'en';
  }
}

/**
 * What begins an item of a list, a heading or a quotation, with the white space after it: `- `, `• `, `2. `, `(3) `, `## `,
 * `> `. To a model it is part of the sentence, which it drops or is thrown off by.
 */
const lineMarks = /^\s*(?:(?:[-–—*+•‣◦⁃·●○■□▪▫☐☑☒✓✔>]|#{1,6}|\(?\d{1,3}[.)])\s+)+/u;

/**
 * Cuts a text into sentences, one line at a time. White space and line breaks around a sentence, the marks of a list at the
 * beginning of a line, and sentences without a letter in them (an emoji, a number, a rule of dashes) are kept as they are.
 */
export function cutIntoSentences(text: string, language: string): Piece[] {
  const pieces: Piece[] = [];
  for (const line of text.split(/(\r\n|[\n\r\u2028\u2029\v\f])/)) {
    if (line === '') continue;
    const marks = lineMarks.exec(line)?.[0] ?? '';
    if (marks !== '') pieces.push({ text: marks, translate: false });
    for (const { segment } of segmenterOf(language).segment(line.slice(marks.length))) pushTrimmed(pieces, segment);
  }
  return pieces;
}

function pushTrimmed(pieces: Piece[], segment: string): void {
  const core = segment.trim();
  if (!/\p{L}/u.test(core)) {
    pieces.push({ text: segment, translate: false });
    return;
  }
  const start = segment.indexOf(core);
  if (start > 0) pieces.push({ text: segment.slice(0, start), translate: false });
  pieces.push({ text: core, translate: true });
  const end = start + core.length;
  if (end < segment.length) pieces.push({ text: segment.slice(end), translate: false });
}

/**
 * Halves a sentence that is too long for the model, at the best place near its middle: after a mark of punctuation (which
 * Chinese and Japanese follow by no space), else
 * between words, else between two characters. Returns the two halves with the white space between them kept apart.
 */
export function halve(sentence: string): [left: string, between: string, right: string] {
  const middle = sentence.length / 2;
  const nearest = (pattern: RegExp): RegExpExecArray | undefined => {
    let best: RegExpExecArray | undefined;
    for (const match of sentence.matchAll(pattern)) {
      const isInside = match.index > 0 && match.index + match[0].length < sentence.length;
      if (!isInside) continue;
      if (best === undefined || Math.abs(match.index - middle) < Math.abs(best.index - middle)) best = match;
    }
    return best;
  };
  const isCentral = (match: RegExpExecArray | undefined) =>
    match !== undefined && Math.abs(match.index - middle) < sentence.length * 0.4;
  const afterPunctuation = nearest(/(?<=[,;:)\]–—])\s+|(?<=[、，；：])\s*/gu);
  const place = isCentral(afterPunctuation) ? afterPunctuation : (nearest(/\s+/gu) ?? afterPunctuation);
  if (place === undefined) {
    const characters = Array.from(sentence);
    const half = Math.floor(characters.length / 2);
    return [characters.slice(0, half).join(''), '', characters.slice(half).join('')];
  }
  return [sentence.slice(0, place.index), place[0], sentence.slice(place.index + place[0].length)];
}
