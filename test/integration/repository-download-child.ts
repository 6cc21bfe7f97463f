import { readFile } from 'node:fs/promises';
import { systemClock } from '../../shared/repository/clock.ts';
import { Downloader } from '../../shared/repository/download.ts';
import { FileCache } from '../../shared/repository/file-cache.ts';
import { parseManifest } from '../../shared/repository/manifest-store.ts';
import { thisProcess } from '../../shared/repository/process-identity.ts';
import { createS3Client, S3ObjectStore } from '../../shared/repository/s3-object-store.ts';

/** A process that downloads a model, tells its progress line by line, and may be killed at any time. */
const [bucket = '', folder = '', manifestPath = '', partBytes = ''] = process.argv.slice(2);
const manifest = parseManifest(await readFile(manifestPath, 'utf8'), { id: 'killed', version: '1.0.0' });
const cache = new FileCache({ folder, maxBytes: 1e9, identity: thisProcess(), clock: systemClock });
const downloader = new Downloader({
  store: new S3ObjectStore(createS3Client(), bucket),
  cache,
  settings: { partBytes: Number(partBytes), concurrency: 2, attempts: 3, stallMs: 5_000 },
  clock: systemClock,
  random: Math.random,
});
await downloader.ensureFiles(manifest, manifest.files, { onProgress: ({ bytesDone }) => console.log(bytesDone) });
console.log('done');
