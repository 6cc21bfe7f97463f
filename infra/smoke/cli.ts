import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../../shared/repository/clock.ts';
import { print, runCommand } from '../operator-command.ts';
import { checks, strangersCheck } from './checks.ts';
import { reportOf } from './report.ts';
import { runChecks } from './run-checks.ts';
import { createSigner } from './signing.ts';

interface Options {
  readonly url: string;
  readonly sign?: boolean;
  readonly region?: string;
  readonly header: readonly (readonly [string, string])[];
  readonly key?: string;
  readonly patience: number;
  readonly json?: boolean;
}

const program = new Command('smoke')
  .description('Asks a deployment for what callers ask for, and says whether it answers as it should.')
  .exitOverride()
  .requiredOption('--url <url>', 'of the deployment, without a path', urlOf)
  .option('--sign', 'sign requests with the AWS credentials at hand: for an API that authorizes by IAM')
  .option('--region <name>', 'with --sign: of the API; left out: read from its URL or AWS_REGION')
  .addOption(new Option('--key <key>', 'an API key that may infer').env('CASALINGUA_API_KEY'))
  .option('--header <name:value>', 'e.g. "Authorization: Bearer ..."; may be repeated', headerOf, [])
  .option('--patience <seconds>', 'for each check: a model may have to be loaded first', secondsOf, 120)
  .option('--json', 'print JSON')
  .action(async (options: Options) => {
    const { url, key, sign, patience } = options;
    const header = [...options.header, ...(key === undefined ? [] : [['authorization', `Bearer ${key}`] as const])];
    const isProtected = sign === true || header.length > 0;
    const signed = sign ? createSigner(regionOf(options)) : async (request: Request) => request;
    const results = await runChecks(isProtected ? [...checks, strangersCheck] : checks, {
      url,
      send: (request) => fetch(request, { redirect: 'error', signal: AbortSignal.timeout(35_000) }),
      authorize: (request) => {
        for (const [name, value] of header) request.headers.set(name, value);
        return signed(request);
      },
      patienceMs: patience * 1000,
      clock: systemClock,
      sleep: (ms) => delay(ms),
    });
    print(options, results, reportOf(results));
    if (results.some(({ fault }) => fault !== undefined)) process.exitCode = 1;
  });

await runCommand(program);

function urlOf(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('it begins with https:// or http://');
}

function headerOf(text: string, before: readonly (readonly [string, string])[]) {
  const [, name, value] = /^([^:\s]+):\s*(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('a header is <name>:<value>');
  return [...before, [name, value] as const];
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 0 && text !== '') return seconds;
  throw new InvalidArgumentError('a whole number of seconds');
}

function regionOf({ region, url }: Options): string {
  const inUrl = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com/.exec(url)?.[1];
  const found = region ?? inUrl ?? process.env['AWS_REGION'];
  if (found !== undefined) return found;
  throw new InvalidArgumentError('--region is missing, and the URL does not tell it');
}
