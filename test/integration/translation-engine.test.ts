import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TranslationManifest } from '../../shared/repository/manifest.ts';
import { unwrap } from '../../shared/runtime/attempt.ts';
import { WasmSession } from '../../shared/runtime/engine/wasm-session.ts';
import { CancelledError, InferenceFailedError } from '../../shared/runtime/errors.ts';
import { type LoadedModel, loadModel, ModelFiles } from '../../shared/runtime/load-model.ts';
import type { TranslationInput, TranslationOutput } from '../../shared/runtime/tasks.ts';
import { createTextTokenizer, type TextTokenizer } from '../../shared/runtime/text-tokenizer.ts';
import { DecoderRun } from '../../shared/runtime/translation/decoder-run.ts';
import { greedySearch } from '../../shared/runtime/translation/greedy-search.ts';
import { argmax, largest } from '../../shared/runtime/translation/logits.ts';
import { marianPrompt } from '../../shared/runtime/translation/prompts/marian.ts';
import { Seq2SeqGraphs } from '../../shared/runtime/translation/seq2seq-graphs.ts';
import { TranslationTask } from '../../shared/runtime/translation/translation-task.ts';
import { answerAlone } from '../support/answers-alone.ts';
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
let runs: () => number;
let fullAfter: (blocks: number) => void;
let heapBytes: () => number;
beforeAll(async () => {
  const counted = countingModule(await startEngine());
  ({ outstanding, runs, fullAfter } = counted);
  heapBytes = () => counted.module.HEAPU8.byteLength;
  const onHand = await modelOnDisk(folder);
  if (onHand.manifest.task !== 'translation') throw new Error('the model does not translate');
  manifest = onHand.manifest;
  const onDisk = new ModelFiles(manifest, onHand.files);
  model = await loadModel(counted.module, manifest, onDisk);
  const shape = { heads: 4, headSize: 64, vocabularySize: 6001 };
  graphs = await onDisk.withWeights(async (weights) => {
    const open = (role: 'encoder' | 'decoder') =>
      WasmSession.open(counted.module, onDisk.path(role), manifest.graphs, { weights });
    return new Seq2SeqGraphs(await open('encoder'), await open('decoder'), shape);
  });
  tokenizer = createTextTokenizer(JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')), {});
});

type Some = Partial<TranslationInput> & Pick<TranslationInput, 'texts'>;

const english = (input: Some): TranslationInput => ({
  task: 'translation',
  source: 'en',
  target: 'es',
  numBeams: 1,
  ...input,
});

const translate = (input: Some, isCancelled = () => false) =>
  answerAlone(model, english(input), isCancelled) as TranslationOutput;

/** True from when the engine has run so often from now on; the encoder's run is the first of a batch. */
const afterRuns = (count: number) => {
  const from = runs();
  return () => runs() - from >= count;
};

describe('an answer that finds no end', () => {
  test('is cut off at three times its source and 16 tokens, long before the model would have to stop', () => {
    // A token that the model never says stands for the end, so that it goes on and on.
    const endToken = PAD;
    const prompt = marianPrompt({ tokenizer, endToken, decoderStartToken: PAD });
    const endless = new TranslationTask({ manifest, graphs, tokenizer, prompt, endToken, padToken: PAD });
    const input = { task: 'translation', texts: ['I need help.'], source: 'en', target: 'es', numBeams: 1 } as const;

    const { usage } = answerAlone(endless, input);

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
    isCancelled: () => false,
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
      isCancelled: () => false,
    });
    run.release();
    // If this is no longer so, another text must be found for this test.
    expect(tokenizer.decode(hypotheses[0]?.[0]?.tokens ?? [])).toBe('');

    expect(translate({ texts: ['a\nThank you very much!'] }).translations[0]?.text).toMatch(/^a\n[^\s]/);
  });
});

describe('the heap', () => {
  test.each([
    { numBeams: 1, count: 40 },
    { numBeams: 4, count: 12 },
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

    for (let last = 0; last <= steps; last++) {
      const isCancelled = afterRuns(last);
      expect(() => translate({ texts, numBeams }, isCancelled)).toThrow(CancelledError);
      expect(isCancelled()).toBe(true);
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

describe.each([1, 4])('several callers at once, with %i beams', (numBeams) => {
  const short = english({ texts: ['Good morning.'], numBeams });
  const long = english({ texts: ['I have to pay the rent before the first of the month.', 'Thank you.'], numBeams });

  test('are answered as each would be alone, with what each took', () => {
    const [answer, other] = model.run([long, short], () => false).map(unwrap) as TranslationOutput[];

    expect(answer).toEqual(answerAlone(model, long));
    const alone = answerAlone(model, short) as TranslationOutput;
    expect(other).toEqual({ ...alone, usage: { ...alone.usage, steps: answer?.usage.steps } });
  });

  test('take no step for one who has gone, whose memory is given back', () => {
    const alone = answerAlone(model, short) as TranslationOutput;
    const before = outstanding();
    for (let last = 0; last <= alone.usage.steps; last++) {
      const isGone = afterRuns(last);
      const from = runs();

      const [gone, answer] = model.run([long, short], (caller) => caller === 0 && isGone());

      expect(gone).toMatchObject({ kind: 'failed', cause: expect.any(CancelledError) });
      expect(answer).toMatchObject({ kind: 'done', value: { translations: alone.translations } });
      // The encoder, and as many steps as the other takes alone.
      expect(runs() - from).toBe(1 + alone.usage.steps);
      expect(outstanding()).toEqual(before);
    }
  });

  test('run nothing when all have gone, whatever is still to be done', () => {
    const many = english({ texts: Array.from({ length: 50 }, (_, n) => `I have ${n} books.`), numBeams });
    const isGone = afterRuns(3);
    const from = runs();

    const answers = model.run([many, long], isGone);

    expect(answers.map(({ kind }) => kind)).toEqual(['failed', 'failed']);
    expect(runs() - from).toBe(3);
  });

  test('have no text read that nobody wants any more', () => {
    const read: string[] = [];
    const encode = (text: string) => {
      read.push(text);
      return tokenizer.encode(text);
    };
    const prompt = marianPrompt({ tokenizer, endToken: END, decoderStartToken: PAD });
    const parts = { manifest, graphs, prompt, endToken: END, padToken: PAD };
    const task = new TranslationTask({ ...parts, tokenizer: { ...tokenizer, encode } });

    task.run([long, short], (caller) => caller === 0);

    expect(read).toEqual(short.texts);
  });

  test('do not share the failure of a text that cannot be read, or not be put together', () => {
    const poison = 'Where is the library?';
    const prompt = marianPrompt({ tokenizer, endToken: END, decoderStartToken: PAD });
    const parts = { manifest, graphs, prompt, endToken: END, padToken: PAD };
    const failing = (): never => {
      throw new TypeError('poisonous');
    };
    const unread = { ...tokenizer, encode: (text: string) => (text === poison ? failing() : tokenizer.encode(text)) };
    const unwritten = {
      ...tokenizer,
      decode: (ids: readonly number[]) =>
        tokenizer.decode(ids).includes('biblioteca') ? failing() : tokenizer.decode(ids),
    };

    for (const broken of [unread, unwritten]) {
      const task = new TranslationTask({ ...parts, tokenizer: broken });
      const answers = task.run([english({ texts: [poison], numBeams }), short], () => false);

      expect(answers).toMatchObject([
        { kind: 'failed', cause: expect.any(TypeError) },
        { kind: 'done', value: { translations: [{ text: 'Buenos días.' }] } },
      ]);
    }
  });
});
