import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SamTemplateError } from './template.ts';

const root = join(import.meta.dirname, '..', '..');

/**
 * Synthesises a stage by the CDK's command line, which alone writes where each asset lies.
 * @param assembly folder to write to
 * @throws SamTemplateError
 */
export async function synthesise(stage: string, assembly: string, context: readonly string[] = []): Promise<void> {
  const cdk = join(dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json')), 'bin', 'cdk');
  const options = [`stage=${stage}`, ...context].flatMap((one) => ['--context', one]);
  const child = spawn(process.execPath, [cdk, 'synth', '--quiet', '--output', assembly, ...options], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new SamTemplateError(`cdk synth ended with ${code}`);
}
