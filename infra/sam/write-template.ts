import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SamTemplateError, samTemplate, templateSchema } from './template.ts';

/** Beside the assets, since sam looks for them from where its template lies. */
const FILE = 'sam.template.json';

/**
 * Writes what `sam local start-api --template` takes into a synthesised app's folder.
 * @param assembly folder that `cdk synth` wrote
 * @returns the template's path
 * @throws SamTemplateError
 */
export async function writeSamTemplate(
  assembly: string,
  stack: string,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const source = join(assembly, `${stack}.template.json`);
  const text = await readFile(source, 'utf8').catch((cause: unknown) => {
    throw new SamTemplateError(`there is no ${source}: was the stage synthesised?`, { cause });
  });
  const template = samTemplate(templateSchema.parse(JSON.parse(text)), variables);
  const path = join(assembly, FILE);
  await writeFile(path, `${JSON.stringify(template, null, 2)}\n`);
  return path;
}
