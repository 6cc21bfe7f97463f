import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DESCRIPTION } from '../shared/repository/description.ts';
import { engineFiles } from './models/engine-files.ts';
import { buildLanguageDetection } from './models/language-detection/convert.ts';
import { type GraphToWrite, writeGraphs } from './models/layout/write-graphs.ts';
import { withFloatProjection } from './models/onnx/float-projection.ts';
import { readGraphFile } from './models/onnx/graph-file.ts';
import { optimiseGraph } from './models/onnx/optimise-graph.ts';

const TRANSLATIONS = ['translate-en-es', 'translate-es-en'];
const GRAPHS = ['encoder_model_quantized.onnx', 'decoder_model_merged_quantized.onnx'];

/**
 * Makes the models that come with the project ready to publish, each in `<outFolder>/<id>`, in a few seconds: language
 * detection is converted, the translations are copied with graphs that suit the engine, and their weights in a file from which they
 * can be loaded while it arrives. Resolves to the folders.
 */
export async function buildModels(outFolder: string): Promise<readonly string[]> {
  const languageDetection = join(outFolder, 'language-detection');
  await buildLanguageDetection(languageDetection);
  const folders = [languageDetection];
  for (const id of TRANSLATIONS) {
    folders.push(await buildTranslation(id, join(outFolder, id)));
  }
  return folders;
}

/**
 * Writes the graphs of a shipped translation as they suit the engine, with their weights still in them.
 * @returns them, in the order in which they are loaded
 */
export async function buildGraphs(id: string, folder: string): Promise<readonly GraphToWrite[]> {
  await mkdir(folder, { recursive: true });
  const graphs: GraphToWrite[] = [];
  for (const name of GRAPHS) {
    const optimised = await optimiseGraph(await readFile(join(sourceOf(id), 'onnx', name)));
    await writeFile(join(folder, name), withFloatProjection(optimised));
    graphs.push({ path: `onnx/${name}`, name, folder, model: readGraphFile(join(folder, name)) });
  }
  return graphs;
}

async function buildTranslation(id: string, target: string): Promise<string> {
  await rm(target, { recursive: true, force: true });
  await cp(sourceOf(id), target, { recursive: true });
  const work = await mkdtemp(join(tmpdir(), 'casalingua-models-'));
  try {
    await writeGraphs(await buildGraphs(id, work), 'optimised', target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  const description = join(target, DESCRIPTION);
  const described: object = JSON.parse(await readFile(description, 'utf8'));
  const loading = { order: 'recorded', recordedWith: engineFiles().version };
  await writeFile(description, `${JSON.stringify({ ...described, graphs: 'optimised', loading }, null, 2)}\n`);
  return target;
}

function sourceOf(id: string): string {
  return join(import.meta.dirname, 'models', id);
}
