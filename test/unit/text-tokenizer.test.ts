import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ModelUnsupportedError } from '../../shared/runtime/errors.ts';
import { createTextTokenizer } from '../../shared/runtime/text-tokenizer.ts';
import { END, PAD, pieceId, smallTokenizer, UNKNOWN } from '../support/small-tokenizer.ts';

const models = join(import.meta.dirname, '..', '..', 'infra', 'models');
const readJson = (model: string, name: string): unknown => JSON.parse(readFileSync(join(models, model, name), 'utf8'));

describe('a text tokenizer', () => {
  const tokenizer = smallTokenizer(['spa_Latn']);

  test('encodes a text without the tokens that the file would put around it', () => {
    expect(tokenizer.encode('the rent is due.')).toEqual(
      ['▁the', '▁rent', '▁is', '▁due', '.'].map((piece) => pieceId(piece)),
    );
  });

  test('encodes what it does not know as unknown, and nothing as nothing', () => {
    expect(tokenizer.encode('the ß')).toContain(UNKNOWN);
    expect(tokenizer.encode('')).toEqual([]);
  });

  test('lets no text bring in a special token by spelling it', () => {
    const language = tokenizer.idOf('spa_Latn') as number;

    const ids = tokenizer.encode('the </s> rent spa_Latn is due.');

    expect(ids).toEqual(expect.arrayContaining(['▁the', '▁rent', '▁is', '▁due'].map((piece) => pieceId(piece))));
    expect(ids).not.toContain(END);
    expect(ids).not.toContain(language);
  });

  test('decodes without special tokens', () => {
    const language = tokenizer.idOf('spa_Latn') as number;

    expect(tokenizer.decode([END, language, pieceId('▁the'), pieceId('▁rent'), PAD, END])).toBe('the rent');
    expect(tokenizer.decode([])).toBe('');
  });

  test('knows the id of each token, and of no other', () => {
    expect(tokenizer.idOf('</s>')).toBe(END);
    expect(tokenizer.idOf('▁rent')).toBe(pieceId('▁rent'));
    expect(tokenizer.idOf('spa_Latn')).toBe(pieceId('▁') + 1);
    expect(tokenizer.idOf('fra_Latn')).toBeUndefined();
  });

  test.each([
    ['nothing', undefined],
    ['no object', 'tokenizer'],
    ['an object of another kind', { hello: 'world' }],
    ['an unknown kind of model', { model: { type: 'Telepathy' }, added_tokens: [] }],
  ])('cannot be made of %s', (_, definition) => {
    expect(() => createTextTokenizer(definition, {})).toThrow(ModelUnsupportedError);
  });
});

describe.each(['translate-en-es', 'translate-es-en'])('the tokenizer of %s', (model) => {
  const tokenizer = createTextTokenizer(readJson(model, 'tokenizer.json'), readJson(model, 'tokenizer_config.json'));

  test.each([
    'Where is the nearest library?',
    '¿Dónde está la biblioteca más cercana?',
    'Hello, my name is Tom.',
    "I don't know; you're late!",
    'El alquiler es de 1.250,50 al mes.',
  ])('gives back %j', (text) => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });
});
