import { decodeHTML } from 'entities/decode';
import { escapeText } from 'entities/escape';
import { Parser } from 'htmlparser2';
import { hasWords } from './text.ts';

/** One stretch of text between markup, without the whitespace around it. */
export interface HtmlText {
  /** Offsets into the document: where its bytes begin and end. */
  readonly start: number;
  readonly end: number;
  /** With its entities decoded. */
  readonly text: string;
}

/** Elements whose content is not prose, or not text at all. */
const untranslated = new Set(
  'script style code kbd samp var math textarea iframe noembed noframes xmp plaintext template'.split(' '),
);

const leadingSpace = /^(?:\s|&nbsp;|&#160;|&#xa0;)+/i;
/** The non-breaking space as it is written, each in six characters. */
const spaceEntities = new Set(['&nbsp;', '&#160;', '&#xa0;']);

/**
 * The texts of a document that are to be translated, in order. Attributes, comments, what is marked `translate="no"` or
 * `class="notranslate"`, and text without a word in it are left out; `translate="yes"` inside takes a part in again.
 */
export function findTexts(html: string): HtmlText[] {
  const found: HtmlText[] = [];
  /** For every open element, whether its text is translated. */
  const open: boolean[] = [];
  /** Where the text under way began; -1 where there is none that counts. */
  let from = -1;
  /** Where the last text ended, and at first where the document begins. */
  let textEnd = 0;

  const take = () => {
    if (from >= 0) {
      const text = trimmed(html, from, textEnd);
      if (text !== undefined) found.push(text);
    }
    from = -1;
  };

  const parser = new Parser(
    {
      ontext(raw) {
        // Without decoding, what is handed over is what stands in the document, in pieces that end at `endIndex`.
        const end = parser.endIndex + 1;
        const start = end - raw.length;
        const goesOn = start === textEnd;
        // The parser hands out what is left of a tag that never ends as text, too: text begins where markup ended.
        if (!goesOn && html.charAt(start - 1) !== '>') return;
        if (!goesOn) take();
        textEnd = end;
        if (from < 0 && open.at(-1) !== false) from = start;
      },
      onopentag(name, attributes) {
        take();
        open.push(isTranslated(name, attributes, open.at(-1) ?? true));
      },
      onclosetag() {
        take();
        open.pop();
      },
      oncomment: take,
      onprocessinginstruction: take,
    },
    { decodeEntities: false },
  );
  parser.end(html);
  take();
  return found;
}

/** The document with each text replaced; a text that did not change keeps its very bytes. */
export function replaceTexts(html: string, texts: readonly HtmlText[], replacements: readonly string[]): string {
  let out = '';
  let done = 0;
  texts.forEach(({ start, end, text }, index) => {
    const replacement = replacements[index] ?? text;
    out += html.slice(done, start) + (replacement === text ? html.slice(start, end) : escapeText(replacement));
    done = end;
  });
  return out + html.slice(done);
}

function isTranslated(name: string, attributes: Record<string, string>, inherited: boolean): boolean {
  if (untranslated.has(name)) return false;
  const wish = attributes['translate']?.toLowerCase();
  if (wish === 'no') return false;
  if (attributes['class']?.split(/\s+/).includes('notranslate')) return false;
  return wish === 'yes' || wish === '' || inherited;
}

function trimmed(html: string, from: number, to: number): HtmlText | undefined {
  const raw = html.slice(from, to);
  const start = from + (leadingSpace.exec(raw)?.[0].length ?? 0);
  let end = to;
  for (let width = spaceBefore(html, end); width > 0 && end > start; width = spaceBefore(html, end)) end -= width;
  if (start >= end) return undefined;
  const text = decodeHTML(html.slice(start, end));
  return hasWords(text) ? { start, end, text } : undefined;
}

/** How many characters of whitespace end at an offset: none, a character or an entity. */
function spaceBefore(html: string, end: number): number {
  if (/\s/.test(html.charAt(end - 1))) return 1;
  return html.charAt(end - 1) === ';' && spaceEntities.has(html.slice(end - 6, end).toLowerCase()) ? 6 : 0;
}
