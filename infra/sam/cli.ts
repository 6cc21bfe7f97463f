import { arch } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { runCommand } from '../operator-command.ts';
import { localVariables } from './local-variables.ts';
import { synthesise } from './synth.ts';
import { writeSamTemplate } from './write-template.ts';

interface Options {
  readonly stage: string;
  readonly host: string;
  readonly s3Port: string;
  readonly dynamoPort: string;
  readonly output: string;
}

const program = new Command('sam:template')
  .description(
    'Synthesises a stage and writes what `sam local start-api` needs to run it over the stores of `npm start`.',
  )
  .exitOverride()
  .option('--stage <name>', 'whose functions and routes', 'dev')
  .option('--host <name>', 'where a container finds the stores', 'host.docker.internal')
  .option('--s3-port <number>', 'of S3, as npm start has it', '3001')
  .option('--dynamo-port <number>', 'of DynamoDB, as npm start has it', '3002')
  .option('--output <folder>', 'for the template and its assets', join('build', 'sam'))
  .action(async ({ stage, host, s3Port, dynamoPort, output }: Options) => {
    // A container of another processor would be emulated.
    await synthesise(stage, output, [`architecture=${arch() === 'arm64' ? 'arm64' : 'x86_64'}`]);
    const places = { host, s3Port: Number(s3Port), dynamoPort: Number(dynamoPort) };
    const template = await writeSamTemplate(output, `CasaLingua-${stage}`, localVariables(places));
    console.log(
      `sam local start-api --template ${relative(process.cwd(), template)} --port 3010 --warm-containers EAGER`,
    );
  });

await runCommand(program);
