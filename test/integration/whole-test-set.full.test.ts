import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModelWorker } from '../../shared/runtime/model-worker.ts';
import type { TranslationInput } from '../../shared/runtime/tasks.ts';
import { floatModel } from '../support/float-model.ts';
import { deployedEngine, modelFolder, modelOnDisk } from '../support/real-model.ts';
import { referenceLines } from '../support/reference-lines.ts';
import { described, expectAsGood, type Quality, qualityOf, searches } from '../support/translation-quality.ts';

const CALLERS = 32;
const WHOLE = Number.POSITIVE_INFINITY;
const [greedySearch, beamSearch] = searches;
/** `WHOLE_TEST_SET=1` takes every line everywhere; otherwise as many as fit into the time of the long tests. */
const upTo = (lines: number) => (process.env['WHOLE_TEST_SET'] === '1' ? WHOLE : lines);
/** Of chrF2: which lines share a batch decides which of them come out otherwise, for better and for worse; of few lines, chance moves it more. */
const MOST_LOST = { whole: 0.1, some: 0.3 };
/** Beam search takes four times as long, and float32 a third longer. */
const CASES = [
  { direction: 'en-es', search: greedySearch, lines: { float32: WHOLE, int8: WHOLE } },
  { direction: 'en-es', search: beamSearch, lines: { float32: upTo(100), int8: upTo(200) } },
  { direction: 'es-en', search: greedySearch, lines: { float32: upTo(400), int8: upTo(800) } },
  { direction: 'es-en', search: beamSearch, lines: { float32: upTo(100), int8: upTo(200) } },
] as const;
type Case = (typeof CASES)[number];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'casalingua-float-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Answers {
  readonly lines: number;
  /** Lines whose answer is not the same. */
  readonly different: number;
  /** chrF2 of the answers alone. */
  readonly alone: number;
  /** Of the answers together, and of those that came with the model. */
  readonly together: Quality;
}

/** Each line asked alone, and by callers who share a batch. */
async function answersOf(worker: ModelWorker, { direction, search }: Case, most: number): Promise<Answers> {
  const lines = (await referenceLines(direction)).slice(0, most);
  const [source = '', target = ''] = direction.split('-');
  const { numBeams } = search;
  const inputs = lines.map(
    (line): TranslationInput => ({ task: 'translation', texts: [line.source], source, target, numBeams }),
  );
  const alone: string[] = [];
  for (const input of inputs) alone.push((await worker.run(input)).output.translations[0]?.text ?? '');
  const batched: string[] = [];
  for (let first = 0; first < inputs.length; first += CALLERS) {
    const members = inputs.slice(first, first + CALLERS).map((input) => ({ input }));
    for (const { output } of await Promise.all(worker.runBatch(members).results)) {
      batched.push(output.translations[0]?.text ?? '');
    }
  }
  const different = alone.filter((text, index) => text !== batched[index]).length;
  return {
    lines: lines.length,
    different,
    alone: qualityOf(lines, alone, search).ours,
    together: qualityOf(lines, batched, search),
  };
}

async function started(model: Awaited<ReturnType<typeof modelOnDisk>>): Promise<ModelWorker> {
  const worker = ModelWorker.start(deployedEngine(), () => undefined);
  await worker.load({ ...model, warmUp: 1, onWarming: () => undefined });
  return worker;
}

const told = (weights: string, { direction, search }: Case, { lines, different, alone, together }: Answers) =>
  console.info(
    `${direction}, ${weights}, ${search.search}: ${different} of ${lines} lines differ in batches of ${CALLERS};`,
    `chrF2 ${alone.toFixed(2)} alone, ${together.ours.toFixed(2)} together`,
  );

describe.each(CASES)('lines of $direction by $search.search, alone and in batches of 32 callers', (each) => {
  const id = `translate-${each.direction}` as const;

  test('are the same with float32 weights', async () => {
    const worker = await started(await floatModel(id, join(folder, id)));
    const answers = await answersOf(worker, each, each.lines.float32);
    await worker.terminate();
    told('float32', each, answers);

    expect(answers.different).toBe(0);
  });

  test('are as good with int8 weights, whose activations are scaled over the batch, and as those that came with the model', async () => {
    const worker = await started(await modelOnDisk(modelFolder[id]));
    const answers = await answersOf(worker, each, each.lines.int8);
    await worker.terminate();
    told('int8', each, answers);
    console.info(described(each.direction, each.search, answers.together));

    expectAsGood(answers.together, each.search);
    const mostLost = each.lines.int8 === WHOLE ? MOST_LOST.whole : MOST_LOST.some;
    expect(answers.alone - answers.together.ours).toBeLessThan(mostLost);
  });
});
