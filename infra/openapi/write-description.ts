import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeApi } from './description.ts';
import { docsPage } from './docs-page.ts';

/** Writes the description of the API, and the page that is made of it, into a folder. @returns the names of the files */
export async function writeDescription(folder: string): Promise<readonly string[]> {
  const description = describeApi({ isClosed: false });
  await Promise.all([
    writeFile(join(folder, 'openapi.json'), JSON.stringify(description)),
    writeFile(join(folder, 'docs.html'), await docsPage(description)),
    copyFile(join(import.meta.dirname, 'docs.css'), join(folder, 'docs.css')),
  ]);
  return ['openapi.json', 'docs.html', 'docs.css'];
}
