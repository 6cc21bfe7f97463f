import { readFile } from 'node:fs/promises';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { parseManifest } from '../../shared/repository/parse-manifest.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import { createS3Client, S3ObjectStore } from '../../shared/repository/s3-object-store.ts';
import type { DownloadWork } from './repository-download-process.ts';

/**
 * A process that downloads a model and tells its progress line by line. It may be killed or stopped at any time; any message
 * tells it that it was frozen.
 */
const work = JSON.parse(process.argv[2] ?? '') as DownloadWork;
const manifest = parseManifest(await readFile(work.manifestPath, 'utf8'), { id: 'child', version: '1.0.0' });
const downloader = new Downloader({
  store: new S3ObjectStore(createS3Client(), work.bucket),
  cache: new FileCache({ folder: work.folder, maxBytes: 1e9, identity: thisProcess(), clock: systemClock }),
  settings: work.settings,
  clock: systemClock,
  random: Math.random,
});
process.on('message', () => downloader.thawed());
await downloader.ensureFiles(manifest, manifest.files, { onProgress: ({ bytesDone }) => console.log(bytesDone) });
console.log('done');
process.disconnect?.();
