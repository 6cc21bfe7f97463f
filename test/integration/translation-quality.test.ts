import { afterAll, beforeAll, describe, test } from 'vitest';
import type { ModelWorker } from '../../shared/runtime/model-worker.ts';
import { described, expectAsGood, measureQuality, searches, startTranslator } from '../support/translation-quality.ts';

// The rest takes its time: it is measured in the full run.
const direction = 'en-es';
const quick = searches.filter(({ numBeams }) => numBeams === 1);

describe(`the first 150 reference lines of ${direction}`, () => {
  let translator: ModelWorker;
  beforeAll(async () => {
    translator = await startTranslator(direction);
  });
  afterAll(() => translator.terminate());

  test.each(quick)('by $search are as good as $measure, within 0.5 chrF2', async (search) => {
    const quality = await measureQuality(translator, direction, search, 150);
    console.info(described(direction, search, quality));

    expectAsGood(quality, search);
  });
});
