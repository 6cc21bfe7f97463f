import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TranslationManifest } from '../../shared/repository/manifest.ts';
import { WasmSession } from '../../shared/runtime/engine/wasm-session.ts';
import { InferenceFailedError } from '../../shared/runtime/errors.ts';
import { type LoadedModel, loadModel, ModelFiles } from '../../shared/runtime/load-model.ts';
import type { TranslationInput, TranslationOutput } from '../../shared/runtime/tasks.ts';
import { createTextTokenizer, type TextTokenizer } from '../../shared/runtime/text-tokenizer.ts';
import { DecoderRun } from '../../shared/runtime/translation/decoder-run.ts';
import { greedySearch } from '../../shared/runtime/translation/greedy-search.ts';
import { argmax, largest } from '../../shared/runtime/translation/logits.ts';
import { marianPrompt } from '../../shared/runtime/translation/prompts/marian.ts';
import { Seq2SeqGraphs } from '../../shared/runtime/translation/seq2seq-graphs.ts';
import { TranslationTask } from '../../shared/runtime/translation/translation-task.ts';
import { countingModule, type Outstanding } from '../support/counting-module.ts';
import { startEngine } from '../support/engine.ts';
import { modelFolder, modelOnDisk } from '../support/real-model.ts';
import { referenceLines } from '../support/reference-lines.ts';

const folder = modelFolder['translate-en-es'];
const END = 0;
const PAD = 6000;

let model: LoadedModel;
let manifest: TranslationManifest;
let graphs: Seq2SeqGraphs;
let tokenizer: TextTokenizer;
let outstanding: () => Outstanding;
let fullAfter: (blocks: number) => void;
let heapBytes: () => number;
beforeAll(async () => {
  const counted = countingModule(await startEngine());
  ({ outstanding, fullAfter } = counted);
  heapBytes = () => counted.module.HEAPU8.byteLength;
  const onHand = await modelOnDisk(folder);
  if (onHand.manifest.task !== 'translation') throw new Error('the model does not translate');
  manifest = onHand.manifest;
  const onDisk = new ModelFiles(manifest, onHand.files);
  model = await loadModel(counted.module, manifest, onDisk);
  const open = (role: 'encoder' | 'decoder') => WasmSession.open(counted.module, onDisk.path(role), manifest.graphs);
  const shape = { heads: 4, headSize: 64, vocabularySize: 6001 };
  graphs = new Seq2SeqGraphs(await open('encoder'), await open('decoder'), shape);
  tokenizer = createTextTokenizer(JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')), {});
});

const translate = (input: Partial<TranslationInput> & Pick<TranslationInput, 'texts'>, check = () => {}) =>
  model.run({ task: 'translation', source: 'en', target: 'es', numBeams: 1, ...input }, check) as TranslationOutput;

describe('an answer that finds no end', () => {
  test('is cut off at three times its source and 16 tokens, long before the model would have to stop', () => {
    // A token that the model never says stands for the end, so that it goes on and on.
    const endToken = PAD;
    const prompt = marianPrompt({ tokenizer, endToken, decoderStartToken: PAD });
    const endless = new TranslationTask({ manifest, graphs, tokenizer, prompt, endToken, padToken: PAD });
    const input = { task: 'translation', texts: ['I need help.'], source: 'en', target: 'es', numBeams: 1 } as const;

    const { usage } = endless.run(input, () => undefined);

    expect(usage.targetTokens).toBe(3 * usage.sourceTokens + 16);
    expect(usage.targetTokens).toBeLessThan(manifest.generation.maxNewTokens);
  });
});

describe('a forced first token', () => {
  const sentences = ['Where is the nearest library?', 'I have to pay the rent.', 'Thank you very much!'];
  const batch = () => ({ sentences: sentences.map((text) => [...tokenizer.encode(text), END]), padToken: PAD });
  const withRun = <Result>(use: (run: DecoderRun) => Result): Result => {
    const run = new DecoderRun(graphs, batch());
    try {
      return use(run);
    } finally {
      run.release();
    }
  };
  const options = {
    endToken: END,
    bannedTokens: [PAD],
    maxNewTokens: sentences.map(() => 40),
    withConfidence: false,
    checkCancelled: () => undefined,
  };

  test.each(['▁El', '▁No', '▁Me'])('%s answers for the position after it, as if it had been fed as a step', (piece) => {
    const token = tokenizer.idOf(piece) as number;

    const atOnce = withRun((run) => run.start([PAD, token]).slice());
    const oneByOne = withRun((run) => {
      run.start([PAD]);
      return run.step(sentences.map(() => token)).slice();
    });

    expect(atOnce).toHaveLength(sentences.length * 6001);
    for (let row = 0; row < sentences.length; row++) {
      const offset = row * 6001;
      expect(argmax(atOnce, offset, 6001)).toBe(argmax(oneByOne, offset, 6001));
      // Activations are quantised over all positions of a run together, so the logits differ a little.
      for (const likely of largest(oneByOne, offset, 6001, 5)) {
        expect(Math.abs((atOnce[offset + likely] ?? 0) - (oneByOne[offset + likely] ?? 0))).toBeLessThan(0.5);
      }
    }
  });

  test('is what the answer goes on from', () => {
    const free = withRun((run) => greedySearch(run, { ...options, prompt: [PAD] }));
    const first = free.hypotheses.map(([best]) => best?.tokens[0] as number);

    sentences.forEach((_, row) => {
      const forced = withRun((run) => greedySearch(run, { ...options, prompt: [PAD, first[row] as number] }));

      expect(forced.hypotheses[row]?.[0]?.tokens).toEqual(free.hypotheses[row]?.[0]?.tokens.slice(1));
    });
  });
});

describe('a sentence that the model answers with nothing', () => {
  test('stays, among those that are translated', () => {
    const greedy = { sentences: [[...tokenizer.encode('a'), END]], padToken: PAD };
    const run = new DecoderRun(graphs, greedy);
    const { hypotheses } = greedySearch(run, {
      prompt: [PAD],
      endToken: END,
      bannedTokens: [PAD],
      maxNewTokens: [20],
      withConfidence: false,
      checkCancelled: () => undefined,
    });
    run.release();
    // If this is no longer so, another text must be found for this test.
    expect(tokenizer.decode(hypotheses[0]?.[0]?.tokens ?? [])).toBe('');

    expect(translate({ texts: ['a\nThank you very much!'] }).translations[0]?.text).toMatch(/^a\n[^\s]/);
  });
});

describe('the heap', () => {
  test.each([
    { numBeams: 1, count: 100 },
    { numBeams: 4, count: 20 },
  ])(
    'gets back all that $count sentences took, three times over, with $numBeams beams',
    async ({ numBeams, count }) => {
      const texts = (await referenceLines('en-es')).slice(0, count).map(({ source }) => source);
      translate({ texts, numBeams });
      const before = { ...outstanding(), bytes: heapBytes() };

      for (let round = 0; round < 3; round++) translate({ texts, numBeams });

      expect({ ...outstanding(), bytes: heapBytes() }).toEqual(before);
    },
  );

  test.each([1, 4])('gets back all that a cancelled translation took, at whatever step, with %i beams', (numBeams) => {
    const texts = ['I have to pay the rent before the first of the month.', 'Good morning.', 'Where is the library?'];
    const before = outstanding();
    const { steps } = translate({ texts, numBeams }).usage;

    for (let last = 1; last <= steps; last++) {
      let asked = 0;
      const check = () => {
        asked++;
        if (asked === last) throw new Error('not wanted any more');
      };
      expect(() => translate({ texts, numBeams }, check)).toThrow('not wanted any more');
      expect(outstanding()).toEqual(before);
    }
  });

  test.each([1, 3])('gets back all that a translation took for which there was no room, with %i beams', (numBeams) => {
    const texts = ['Good morning.', 'I have to pay the rent.'];
    const expected = translate({ texts, numBeams });
    const before = outstanding();

    let failures = 0;
    for (let blocks = 0; failures === blocks; blocks++) {
      fullAfter(blocks);
      try {
        expect(translate({ texts, numBeams })).toEqual(expected);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(InferenceFailedError);
        failures++;
      }
      fullAfter(Number.POSITIVE_INFINITY);
      expect(outstanding()).toEqual(before);
    }

    expect(failures).toBeGreaterThan(30);
    expect(translate({ texts, numBeams })).toEqual(expected);
  });
});

test('every step is asked for, however many batches a text takes', () => {
  let asked = 0;
  const texts = [Array.from({ length: 40 }, (_, n) => `I have ${n} books. `).join('')];

  const { usage } = translate({ texts }, () => {
    asked++;
  });

  expect(asked).toBe(usage.steps);
});
