import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderTakenError } from '../../infra/local/data-folder.ts';
import { startLocalRun } from '../support/local-run.ts';

it('keeps what is active between runs, and lets one run at a time use the folder', async () => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'casalingua-data-'));
  const first = await startLocalRun({ dataFolder });

  await expect(startLocalRun({ dataFolder })).rejects.toBeInstanceOf(FolderTakenError);

  await first.close();
  const lines: string[] = [];
  const second = await startLocalRun({ dataFolder, modelFolders: [], onProgress: (line) => lines.push(line) });
  const ready = await (await fetch(`${second.url}/readiness`)).json();
  await second.close();
  expect(ready).toMatchObject({ status: 'ready', models: expect.arrayContaining(['translate-en-es']) });
  await rm(dataFolder, { recursive: true });
});
