import { readSettingsLate } from '../../shared/config/read-settings-late.ts';
import { beginWith } from './beginnings.ts';
import type { serve } from './serving.ts';

const assets = new URL('./', import.meta.url);
const begun = beginWith(await readSettingsLate(process.env, assets), process.env, assets);
// Behind AWS's SDK, so that it is composed while what the catalog asks is on its way.
const service = Promise.allSettled([begun.stores.arrived])
  .then(() => import('./serving.ts'))
  .then(({ serve }) => serve(begun));
// An instance that cannot be composed ends, as one does whose start fails.
void service.then(() => undefined);
if (begun.isProvisioned) await service;

export const handler: Awaited<ReturnType<typeof serve>> = async (event, context) => {
  begun.catalog.begin();
  return (await service)(event, context);
};
