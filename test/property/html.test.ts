import { decodeHTML } from 'entities/decode';
import fc from 'fast-check';
import { Parser } from 'htmlparser2';
import { describe, expect, it } from 'vitest';
import { findTexts, replaceTexts } from '../../functions/inference/html.ts';

const piece = fc.constantFrom(
  ...'<p>|</p>|<b class="x">|</b>|<br/>|<br|<!-- c -->|<!--|-->|<script>|</script>|<code>|</code>|<title>|</title>'.split(
    '|',
  ),
  ...'<svg>|</svg>|<![CDATA[|]]>|<p translate=no>|<i translate="yes">|</i>|<textarea>|</textarea>|<?x|?>|<!DOCTYPE x>'.split(
    '|',
  ),
  ...'&amp;|&lt;|&nbsp;|&#160;|&eacute|&#x1F600;|&|<|>|"|=|/| |\n|\t|a|rent due|ß|é|😀|12|</|</>|< b|<a href="'.split(
    '|',
  ),
);
const html = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary' }),
);

/** What a parser makes of a document: its markup, and the text in each place. */
function read(document: string): { markup: string[]; texts: string[] } {
  const markup: string[] = [];
  const texts: string[] = [''];
  const mark = (what: string) => {
    markup.push(what);
    texts.push('');
  };
  const handler = {
    ontext: (data: string) => texts.push((texts.pop() ?? '') + data),
    onopentag: (name: string, attributes: object, implied: boolean) =>
      mark(`<${name} ${JSON.stringify(attributes)} ${implied}>`),
    onclosetag: (name: string, implied: boolean) => mark(`</${name} ${implied}>`),
    oncomment: (data: string) => mark(`<!--${data}-->`),
    onprocessinginstruction: (name: string, data: string) => mark(`<?${name} ${data}>`),
  };
  new Parser(handler, { decodeEntities: false }).end(document);
  return { markup, texts: texts.map((text) => decodeHTML(text)) };
}

function translate(document: string, rule: (text: string) => string): string {
  const texts = findTexts(document);
  return replaceTexts(
    document,
    texts,
    texts.map(({ text }) => rule(text)),
  );
}

describe('of any document', () => {
  it('the markup stays, whatever the translations are', () => {
    fc.assert(
      fc.property(html, fc.string(), (document, translation) => {
        expect(read(translate(document, () => translation)).markup).toEqual(read(document).markup);
      }),
      { numRuns: 1000 },
    );
  });

  it('only texts that were found change, each into its translation', () => {
    fc.assert(
      fc.property(html, (document) => {
        fc.pre(!/[«»]/.test(document));
        const found = findTexts(document).map(({ text }) => text);
        const { texts } = read(translate(document, (text) => `«${text}»`));
        const changed = texts.flatMap((text) => [...text.matchAll(/«([^»]*)»/g)].map(([, inner]) => inner));
        expect(changed).toEqual(found);
        expect(texts.map((text) => text.replace(/[«»]/g, ''))).toEqual(read(document).texts);
      }),
      { numRuns: 1000 },
    );
  });

  it('every byte stays where nothing changes', () => {
    fc.assert(
      fc.property(html, (document) => {
        expect(translate(document, (text) => text)).toBe(document);
      }),
      { numRuns: 1000 },
    );
  });
});
