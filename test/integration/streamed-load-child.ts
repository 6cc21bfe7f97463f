import { readFile } from 'node:fs/promises';
import { CasaLinguaError, messageOf } from '../../shared/errors.ts';
import { parseManifest } from '../../shared/repository/parse-manifest.ts';
import { createS3Client, S3ObjectStore } from '../../shared/repository/s3-object-store.ts';
import { deployedEngine } from '../support/real-model.ts';
import { createLoader, observe } from '../support/worker-loads.ts';

/** What the child needs to know. */
export interface StreamedLoadWork {
  readonly bucket: string;
  readonly cacheFolder: string;
  readonly manifestPath: string;
  readonly model: { readonly id: string; readonly version: string };
}

/** What it tells, a line each. */
export type StreamedLoadWord =
  | { readonly bytes: number }
  | { readonly answer: unknown }
  | { readonly failure: string; readonly message: string };

/** A process that loads a model and asks it once. It may be killed at any time. */
const work = JSON.parse(process.argv[2] ?? '') as StreamedLoadWork;
const say = (word: StreamedLoadWord) => process.stdout.write(`${JSON.stringify(word)}\n`);
const manifest = parseManifest(await readFile(work.manifestPath, 'utf8'), work.model);
const store = new S3ObjectStore(createS3Client(), work.bucket);
const { observer } = observe();
try {
  const loader = createLoader({ engine: deployedEngine(), store, cacheFolder: work.cacheFolder });
  const telling = { ...observer, onDownloaded: ({ bytesDone }: { bytesDone: number }) => say({ bytes: bytesDone }) };
  const worker = await loader.load(manifest, telling, new AbortController().signal);
  const { output } = await worker.run({ task: 'language-detection', texts: ['Good morning.'] });
  say({ answer: output });
  await worker.end();
} catch (thrown) {
  say({ failure: thrown instanceof CasaLinguaError ? thrown.code : 'UNKNOWN', message: messageOf(thrown) });
}
