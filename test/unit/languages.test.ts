import { describe, expect, it } from 'vitest';
import { isLanguage, languageDirectory, languageName } from '../../shared/repository/languages.ts';
import { detectionManifest, translationManifest } from '../support/fake-catalog.ts';

function codesOf(...codes: string[]) {
  return languageDirectory([translationManifest('m', ...codes.map((code) => `xx>${code}`))]);
}

describe('a written language', () => {
  it.each([
    ['en', 'en', ['en']],
    ['EN', 'en', ['en']],
    ['en-US', 'en', ['en']],
    ['en_GB', 'en', ['en']],
    ['eng', 'en', ['en']],
    ['pt-BR', 'pt', ['pt']],
    ['pt-BR', 'pt-BR', ['pt', 'pt-BR']],
    ['pt-PT', 'pt', ['pt', 'pt-BR']],
    ['pt', 'pt-BR', ['pt-BR']],
    ['zh', 'zh-Hans', ['zh-Hans', 'zh-Hant']],
    ['zh-TW', 'zh-Hant', ['zh', 'zh-Hant']],
    ['zh-Hant', 'zh', ['zh']],
    ['zh-Hant-HK', 'zh-Hant', ['zh', 'zh-Hans', 'zh-Hant']],
    ['zt', 'zh-Hant', ['zh', 'zh-Hant']],
    ['pb', 'pt-BR', ['pt', 'pt-BR']],
    ['nb', 'no', ['no']],
    ['no', 'nb', ['nb']],
    ['tl', 'tl', ['tl']],
    ['fil', 'tl', ['tl']],
  ])('%s is %s among %j', (written, code, codes) => {
    expect(codesOf(...codes).resolve(written)).toBe(code);
  });

  it.each(['fr', 'zz', '', '-', 'not a language', 'e', 'auto', '😀'])('%j is none of English', (written) => {
    expect(codesOf('en').resolve(written)).toBeUndefined();
  });

  it('is not the other script of its language', () => {
    expect(codesOf('zh-Hans').resolve('zh-Hant')).toBeUndefined();
  });
});

describe('the directory', () => {
  const first = translationManifest('a', 'es>fr', 'en>es');
  const second = translationManifest('b', 'en>es', 'en>de');
  const directory = languageDirectory([detectionManifest, first, second]);

  it('has English first, then the others by code', () => {
    expect(directory.codes).toEqual(['en', 'de', 'es', 'fr']);
  });

  it('takes the first of several models', () => {
    expect(directory.model('en', 'es')).toBe(first);
    expect(directory.model('en', 'de')).toBe(second);
    expect(directory.model('de', 'en')).toBeUndefined();
  });

  it('lists targets, the language itself included', () => {
    expect(directory.targets('en')).toEqual(['de', 'en', 'es']);
    expect(directory.targets('fr')).toEqual(['fr']);
  });
});

describe('names', () => {
  it.each([
    ['es', 'Spanish'],
    ['zh-Hant', 'Traditional Chinese'],
    ['pt-BR', 'Brazilian Portuguese'],
    ['not a code', 'not a code'],
  ])('%s is %s', (code, name) => {
    expect(languageName(code)).toBe(name);
  });

  it('tell languages from nonsense', () => {
    expect(['fr', 'zh-Hant', 'en_US'].map(isLanguage)).toEqual([true, true, true]);
    expect(['zz', 'auto', '', 'hello world'].map(isLanguage)).toEqual([false, false, false, false]);
  });
});
