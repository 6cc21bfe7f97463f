import { libreTranslate } from 'libretranslate-ts';
import { Translate } from 'translate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalStack } from '../../infra/local/local-stack.ts';
import { startLocalRun } from '../support/local-run.ts';

/** Clients from npm, by different authors and as they are published, against what `npm start` starts. */

/** The second client's own types do not know its `url`. Each text is asked for once, since it keeps answers for good. */
function translator({ url }: LocalStack, key?: string) {
  const options = {
    engine: 'libre' as const,
    from: 'en',
    url: `${url}/translate`,
    ...(key === undefined ? {} : { key }),
  };
  return new (Translate as unknown as new (options: object) => (text: string, to: string) => Promise<string>)(options);
}

describe('on a server that asks for no key', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalRun();
    libreTranslate.setApiEndpoint(stack.url);
  });
  afterAll(() => stack?.close());

  it('libretranslate-ts translates, with alternatives, and from a language that is found out', async () => {
    expect(await libreTranslate.translate('I need help.', 'en', 'es')).toMatchObject({
      status: 200,
      translatedText: 'Necesito ayuda.',
    });
    const { alternatives } = await libreTranslate.translate('Where is the library?', 'en', 'es', 2);
    expect(alternatives?.length).toBeGreaterThanOrEqual(1);
    const found = await libreTranslate.translate('Buenos días.', 'auto', 'en');
    expect(found).toMatchObject({ status: 200, translatedText: 'Good morning.' });
  });

  it('libretranslate-ts detects', async () => {
    const { status, language, confidence } = await libreTranslate.detect('¿Dónde está la biblioteca?');

    expect([status, language]).toEqual([200, 'es']);
    expect(confidence).toBeGreaterThan(50);
    expect(confidence).toBeLessThanOrEqual(100);
  });

  it('libretranslate-ts lists languages', async () => {
    const languages = await libreTranslate.listLanguages();

    expect(languages).toEqual(
      expect.arrayContaining([
        { code: 'en', name: 'English', targets: expect.arrayContaining(['es']) },
        { code: 'es', name: 'Spanish', targets: expect.arrayContaining(['en']) },
      ]),
    );
  });

  it('libretranslate-ts shows what is wrong in the words of the server', async () => {
    const { error, translatedText } = await libreTranslate.translate('I need help.', 'en', 'xx');

    expect({ error, translatedText }).toEqual({ error: 'xx is not supported', translatedText: '' });
  });

  it('translate translates', async () => {
    expect(await translator(stack)('I need help.', 'es')).toBe('Necesito ayuda.');
  });

  it('translate shows what is wrong in the words of the server', async () => {
    await expect(translator(stack)('I need help.', 'de')).rejects.toThrow('de is not supported');
  });
});

describe('on a server that asks for keys', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocalRun({ environment: { CASALINGUA_ANONYMOUS_SCOPES: '' } });
    libreTranslate.setApiEndpoint(stack.url);
  });
  afterAll(() => stack?.close());

  it('libretranslate-ts translates and detects with one', async () => {
    libreTranslate.setApiKey(stack.apiKey ?? '');

    expect((await libreTranslate.translate('I need help.', 'en', 'es')).translatedText).toBe('Necesito ayuda.');
    expect((await libreTranslate.detect('¿Dónde está la biblioteca?')).language).toBe('es');
  });

  it('libretranslate-ts lists languages, for which it sends no key', async () => {
    expect((await libreTranslate.listLanguages()).map(({ code }) => code)).toEqual(
      expect.arrayContaining(['en', 'es']),
    );
  });

  it('libretranslate-ts is told that its key is wrong', async () => {
    libreTranslate.setApiKey('cslg_wrong');

    expect(await libreTranslate.detect('Hello')).toMatchObject({ language: '', error: 'Invalid API key' });
  });

  it('translate translates with one, and is told that it needs one', async () => {
    expect(await translator(stack, stack.apiKey)('Good morning.', 'es')).toBe('Buenos días.');
    await expect(translator(stack)('Good evening.', 'es')).rejects.toThrow(
      'Please contact the server operator to get an API key',
    );
  });
});
