import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LoadedWorker } from '../../../shared/host/model-loader.ts';
import { createWorkerModelLoader } from '../../../shared/host/worker-model-loader.ts';
import { systemClock } from '../../../shared/repository/clock.ts';
import { Downloader } from '../../../shared/repository/download.ts';
import { FileCache } from '../../../shared/repository/file-cache.ts';
import type { Manifest } from '../../../shared/repository/manifest.ts';
import { thisProcess } from '../../../shared/repository/process-identity.ts';
import { compileEngine } from '../../../shared/runtime/compiled-engine.ts';
import type { TaskInput } from '../../../shared/runtime/tasks.ts';
import { answerParent } from '../child-process.ts';
import { FolderStore } from './folder-store.ts';
import { MemoryPeak } from './memory-peak.ts';
import { sampleTexts } from './sample-texts.ts';
import type { TrialReply, TrialRequest, TrialSpeed } from './trial.ts';

const WARM_UP = 1;
/** Runs before speed is measured: V8 takes some to compile the engine for good. */
const RUNS_BEFORE = 8;
const MOST_TOKENS = 64;
/** As functions have them unless they are configured otherwise. */
const settings = { partBytes: 8 * 1024 * 1024, concurrency: 6, attempts: 1, stallMs: 60_000 };

answerParent<TrialRequest, TrialReply>(async (request) => {
  const cacheFolder = await mkdtemp(join(tmpdir(), 'casalingua-profile-'));
  try {
    return await trial(request, cacheFolder);
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
});

async function trial(
  { manifest, folder, engineFolder, measureMs }: TrialRequest,
  cacheFolder: string,
): Promise<TrialReply> {
  const clock = systemClock;
  const cache = new FileCache({
    folder: cacheFolder,
    maxBytes: Number.MAX_SAFE_INTEGER,
    identity: thisProcess(),
    clock,
  });
  const store = new FolderStore(folder, manifest);
  const downloader = new Downloader({ store, cache, settings, clock, random: Math.random });
  const started = performance.now();
  const engine = compileEngine(pathToFileURL(join(engineFolder, '/')), 1);
  // The compiled engine is the process's, whatever models it has.
  await engine.compiled();
  const memory = new MemoryPeak();
  const loader = createWorkerModelLoader({ downloader, engine, warmUp: WARM_UP });
  const load = { downloadedMs: 0, warmingMs: 0, readyMs: 0 };
  const since = () => Math.round(performance.now() - started);
  const worker = await loader.load(
    manifest,
    {
      onDownloaded: ({ bytesDone, bytesTotal }) => {
        if (bytesDone === bytesTotal) load.downloadedMs ||= since();
      },
      onInitializing: () => undefined,
      onWarming: () => {
        load.warmingMs = since();
      },
      onCrash: () => undefined,
    },
    new AbortController().signal,
  );
  load.readyMs = since();
  const measured = memory.stop();
  const speed = measureMs === 0 ? undefined : await measureSpeed(worker, manifest, measureMs);
  await worker.end();
  return { memory: measured, load, speed };
}

async function measureSpeed(worker: LoadedWorker, manifest: Manifest, measureMs: number): Promise<TrialSpeed> {
  for (let run = 0; run < RUNS_BEFORE; run++) await ask(worker, manifest, run, 1);
  const perSecond = async (batch: number) => {
    const started = performance.now();
    let done = 0;
    for (let run = 0; run === 0 || performance.now() - started < measureMs; run++) {
      done += await ask(worker, manifest, run, batch);
    }
    return Math.round((10 * done * 1000) / (performance.now() - started)) / 10;
  };
  const unit = manifest.task === 'translation' ? 'tokens' : 'texts';
  return { unit, batch1: await perSecond(1), batch32: await perSecond(32) };
}

/** @returns tokens of the answer, or texts */
async function ask(worker: LoadedWorker, manifest: Manifest, run: number, batch: number): Promise<number> {
  const texts = Array.from({ length: batch }, (_, index) => sampleTexts[(run + index) % sampleTexts.length] as string);
  const { output } = await worker.run(inputOf(manifest, texts));
  return output.task === 'translation' ? output.usage.targetTokens : texts.length;
}

function inputOf(manifest: Manifest, texts: readonly string[]): TaskInput {
  if (manifest.task === 'language-detection') return { task: 'language-detection', texts };
  const [pair = { source: 'en', target: 'en' }] = manifest.pairs;
  return { task: 'translation', texts, ...pair, numBeams: 1, maxNewTokens: MOST_TOKENS };
}
