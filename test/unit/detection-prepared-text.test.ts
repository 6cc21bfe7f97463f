import { describe, expect, test } from 'vitest';
import { inspectedLength, preparedText } from '../../shared/runtime/detection/prepared-text.ts';

describe('what a language is judged by', () => {
  test.each(['', '   ', '2026-11-23', '12,50 € + 3 %', '😀 🏠', '?!…', '\0\n', '\ud800'])(
    'is nothing in %j',
    (text) => {
      expect(preparedText(text)).toBeNull();
    },
  );

  test.each(['a', '3 Zimmer', '部屋', 'בית', 'ª'])('is the text itself if it holds a letter: %j', (text) => {
    expect(preparedText(text)).toBe(text);
  });

  test('is in lower case if the text is in capitals alone', () => {
    expect(preparedText('¿DÓNDE ESTÁ LA LLAVE?')).toBe('¿dónde está la llave?');
    expect(preparedText('ГДЕ КЛЮЧ?')).toBe('где ключ?');
  });

  test('keeps its capitals if there is one small letter', () => {
    expect(preparedText('DIE Miete')).toBe('DIE Miete');
  });

  test('is the beginning of a long text', () => {
    expect(preparedText('ab '.repeat(inspectedLength))).toHaveLength(inspectedLength);
  });
});
