import { describe, expect, it } from 'vitest';
import { findTexts, replaceTexts } from '../../functions/inference/html.ts';

/** Translates by capitals, so that what was translated can be seen. */
function shout(html: string): string {
  const texts = findTexts(html);
  return replaceTexts(
    html,
    texts,
    texts.map(({ text }) => text.toUpperCase()),
  );
}

describe('translating a document', () => {
  it.each([
    ['text alone', 'rent due', 'RENT DUE'],
    ['text between tags, as it was written', '<P Class=a>rent<BR/>due</p >', '<P Class=a>RENT<BR/>DUE</p >'],
    ['whitespace around text', '<p>\n  rent \t</p>', '<p>\n  RENT \t</p>'],
    ['entities, decoded and written again', '<b>a &amp; b &lt; c</b>', '<b>A &amp; B &lt; C</b>'],
    ['named entities as letters', '<b>caf&eacute;</b>', '<b>CAFÉ</b>'],
    ['a bare less-than, written as it should be', 'a < b', 'A &lt; B'],
    ['non-breaking space around text', '<b>&nbsp;rent&#160;</b>', '<b>&nbsp;RENT&#160;</b>'],
    ['non-breaking space inside text', 'rent&nbsp;due', 'RENT&nbsp;DUE'],
    ['a title', '<title>rent</title>', '<title>RENT</title>'],
    ['what is not closed', '<p>rent<p>due', '<p>RENT<p>DUE'],
    ['what was never opened', 'rent</p>due</br>now', 'RENT</p>DUE</br>NOW'],
    ['text around a stray closing tag', 'a</b>c', 'A</b>C'],
    ['text after a comment', 'a<!-- b -->c', 'A<!-- b -->C'],
  ])('takes %s', (_, html, expected) => {
    expect(shout(html)).toBe(expected);
  });

  it.each([
    ['attributes', '<img alt="rent" title=rent>'],
    ['comments', '<!-- rent -->'],
    ['a doctype', '<!DOCTYPE html>'],
    ['instructions', '<?php rent ?>'],
    ['scripts', '<script>if (a < b) rent()</script>'],
    ['styles', '<style>p > b { color: red }</style>'],
    ['code', '<code>rent <b>due</b></code>'],
    ['what a user typed', '<textarea>rent</textarea>'],
    ['translate="no"', '<p translate="no">rent <b>due</b></p>'],
    ['notranslate', '<p class="big notranslate">rent</p>'],
    ['text without words', '<td>12.50 &euro;</td><td>&mdash;</td>'],
    ['a tag that does not end', '<a href="rent'],
    ['a closing tag that does not end', '</p rent'],
    ['CDATA', '<![CDATA[rent]]>'],
    ['nothing', ''],
  ])('leaves %s alone', (_, html) => {
    expect(findTexts(html)).toEqual([]);
    expect(shout(html)).toBe(html);
  });

  it('takes a part in again that is marked translate="yes"', () => {
    expect(shout('<p translate=no>a <b translate="yes">b</b> c</p>d')).toBe(
      '<p translate=no>a <b translate="yes">B</b> c</p>D',
    );
  });

  it('goes on after an element that it leaves alone', () => {
    expect(shout('a<code>b</code>c<script>d</script>e')).toBe('A<code>b</code>C<script>d</script>E');
  });

  it('keeps the bytes of a text that its translation does not change', () => {
    const html = '<b>CAF&Eacute; &copy; "A"</b>';
    expect(shout(html)).toBe(html);
  });

  it('hands out decoded text', () => {
    expect(findTexts('<p> Tom &amp; Ana </p>').map(({ text }) => text)).toEqual(['Tom & Ana']);
  });

  it('lets no translation become markup', () => {
    expect(replaceTexts('<p>rent</p>', findTexts('<p>rent</p>'), ['<script>&']).toString()).toBe(
      '<p>&lt;script&gt;&amp;</p>',
    );
  });
});
