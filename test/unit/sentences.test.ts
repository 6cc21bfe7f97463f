import { describe, expect, test } from 'vitest';
import { cutIntoSentences, halve } from '../../shared/runtime/translation/sentences.ts';

/** What is to be translated in [brackets], what is kept as it is. */
const marked = (text: string, language = 'en') =>
  cutIntoSentences(text, language)
    .map((piece) => (piece.translate ? `[${piece.text}]` : piece.text))
    .join('');

describe('cutting a text into sentences', () => {
  test.each([
    ['sentences, with the spaces between them kept', 'Hello there.  How are you?', '[Hello there.]  [How are you?]'],
    ['white space around a text', '\t  Rent is due. \n', '\t  [Rent is due.] \n'],
    ['lines, however they end', 'One\r\nTwo\nThree\rFour', '[One]\r\n[Two]\n[Three]\r[Four]'],
    ['blank lines', 'One.\n\n\r\n  \nTwo.', '[One.]\n\n\r\n  \n[Two.]'],
    [
      'the separators of Unicode and the form feed',
      'One\u2028Two\u2029Three\fFour',
      '[One]\u2028[Two]\u2029[Three]\f[Four]',
    ],
    ['a no-break space at the end', 'Price:\u00a0', '[Price:]\u00a0'],
    ['emoji by themselves', '🏠\nOur house! 🏠', '🏠\n[Our house!] 🏠'],
    ['emoji within a sentence', 'Our 🏠 is warm.', '[Our 🏠 is warm.]'],
    ['numbers and rules by themselves', '1234\n-----\n$ 1,250.00', '1234\n-----\n$ 1,250.00'],
    ['numbers within a sentence', 'Pay 1,250.50 by 3 p.m. today', '[Pay 1,250.50 by 3 p.m. today]'],
    [
      'the marks of a list',
      '- Rent\r\n  * Water\n\t• Heat\n– – Gas\n☐ Keys',
      '- [Rent]\r\n  * [Water]\n\t• [Heat]\n– – [Gas]\n☐ [Keys]',
    ],
    ['the numbers of a list', '1. Sign here.\n12) Pay.\n(3) Move in.', '1. [Sign here.]\n12) [Pay.]\n(3) [Move in.]'],
    ['the marks of headings and quotations', '## Rules\n> Be quiet.', '## [Rules]\n> [Be quiet.]'],
    ['no marks within a line, nor those that touch a word', '2 rooms - one bath\n-Yes', '[2 rooms - one bath]\n[-Yes]'],
    ['nothing', '', ''],
    ['nothing but white space', ' \n\t', ' \n\t'],
  ])('keeps apart %s', (_, text, expected) => {
    expect(marked(text)).toBe(expected);
  });

  test('knows the marks of other scripts', () => {
    expect(marked('租金到期了。请付款。', 'zh')).toBe('[租金到期了。][请付款。]');
    expect(marked('¿Dónde está? ¡Aquí!', 'es')).toBe('[¿Dónde está?] [¡Aquí!]');
  });

  test.each(['auto', 'not a language', 'zh-Hant', 'eng_Latn', ''])(
    'cuts by general rules in the language %j',
    (language) => {
      expect(marked('One. Two.', language)).toBe('[One.] [Two.]');
    },
  );
});

describe('halving a sentence', () => {
  test('cuts after the punctuation that is nearest to the middle', () => {
    expect(halve('yes, when the rent is late, call the office')).toEqual([
      'yes, when the rent is late,',
      ' ',
      'call the office',
    ]);
  });

  test('cuts between words when punctuation is only near the ends', () => {
    expect(halve('so, one two three four five six seven')).toEqual(['so, one two three', ' ', 'four five six seven']);
  });

  test('cuts after the marks that Chinese and Japanese follow by no space', () => {
    expect(halve('房租到期了，请联系办公室。')).toEqual(['房租到期了，', '', '请联系办公室。']);
  });

  test('cuts between characters when there is no space, and never through one', () => {
    expect(halve('abcdef')).toEqual(['abc', '', 'def']);
    expect(halve('a😀😀b')).toEqual(['a😀', '', '😀b']);
  });

  test('does not take white space at the ends for a place', () => {
    expect(halve('  ab')).toEqual(['  ', '', 'ab']);
  });
});
