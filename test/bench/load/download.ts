/** The download alone: what no way of loading can do without. */
import { pathToFileURL } from 'node:url';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { createLateStores } from '../../../shared/fleet/late-stores.ts';
import { systemClock } from '../../../shared/repository/clock.ts';
import { Downloader } from '../../../shared/repository/download.ts';
import { FileCache } from '../../../shared/repository/file-cache.ts';
import { runtimeFiles } from '../../../shared/repository/manifest.ts';
import { readManifest } from '../../../shared/repository/manifest-store.ts';
import { thisProcess } from '../../../shared/repository/process-identity.ts';
import { serve } from '../serve.ts';
import { type Measured, measured } from './measured.ts';

export interface DownloadStart {
  /** The deployed bundle's folder. */
  readonly bundle: string;
  readonly model: { readonly id: string; readonly version: string };
}

const { bundle, model } = JSON.parse(process.argv[2] ?? '') as DownloadStart;

serve<object, Measured>(() =>
  measured(async ({ downloaded }) => {
    const settings = readSettings(process.env, pathToFileURL(`${bundle}/`));
    const store = createLateStores(settings).objects;
    const cache = new FileCache({
      folder: settings.cacheFolder,
      maxBytes: settings.cacheMb * 2 ** 20,
      identity: thisProcess(),
      clock: systemClock,
    });
    const context = { store, cache, settings: settings.download, clock: systemClock, random: Math.random };
    const manifest = await readManifest(store, model);
    await new Downloader(context).ensureFiles(manifest, runtimeFiles(manifest));
    downloaded();
  }),
);
