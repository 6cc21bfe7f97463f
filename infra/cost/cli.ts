import { Command, InvalidArgumentError, Option } from 'commander';
import { print, runCommand } from '../operator-command.ts';
import { functionSettings } from '../routes.ts';
import { type Architecture, compute } from './prices.ts';
import { inWords, pricesInWords, reportOf } from './report.ts';
import { HOURS_PER_MONTH, type Shape, shapes } from './shapes.ts';

interface Options {
  readonly shape?: string;
  readonly characters?: number;
  readonly perRequest?: number;
  readonly busyHours?: number;
  readonly peak?: number;
  readonly cold?: number;
  readonly memory: number;
  readonly architecture: Architecture;
  readonly speed?: number;
  readonly libretranslateSpeed?: number;
  readonly prices?: boolean;
  readonly json?: boolean;
}

const architectures = Object.keys(compute);

const program = new Command('cost')
  .description('Estimates what a month costs, beside Amazon Translate and LibreTranslate on Fargate. See docs/cost.md.')
  .exitOverride()
  .addOption(new Option('--shape <name>', 'of the traffic; left out: all').choices(shapes.map(({ name }) => name)))
  .option('--characters <number>', 'a month', positive)
  .option('--per-request <number>', 'characters of one request', positive)
  .option('--busy-hours <number>', `of the month's ${HOURS_PER_MONTH}, in which requests come`, positive)
  .option('--peak <factor>', 'rate of the busiest minutes / mean rate of the busy hours', positive)
  .option('--cold <share>', 'of requests that start an instance, from 0 to 1', share)
  .option('--memory <MB>', "of the inference function's instances", positive, functionSettings.inference.memoryMb)
  .addOption(new Option('--architecture <name>', 'of the processors').choices(architectures).default('arm64'))
  .option('--speed <number>', 'characters that an instance translates in a second; left out: as measured', positive)
  .option('--libretranslate-speed <number>', 'characters a second for each of its vCPUs; left out: as ours', positive)
  .option('--prices', 'print the prices instead')
  .option('--json', 'print JSON')
  .action((options: Options) => {
    if (options.prices) {
      console.log(pricesInWords());
      return;
    }
    const { architecture, memory, speed, libretranslateSpeed } = options;
    const deployment = { architecture, memoryMb: memory, charactersPerSecond: speed };
    const task = { cpus: 2, gb: 4, charactersPerSecond: libretranslateSpeed ?? speed };
    const chosen = shapes.filter(({ name }) => options.shape === undefined || name === options.shape);
    const reports = chosen.map((shape) => reportOf(changed(shape, options), deployment, task));
    print(options, reports, inWords(reports));
  });

await runCommand(program);

function changed(shape: Shape, options: Options): Shape {
  return {
    ...shape,
    charactersPerMonth: options.characters ?? shape.charactersPerMonth,
    charactersPerRequest: options.perRequest ?? shape.charactersPerRequest,
    busyHours: Math.min(HOURS_PER_MONTH, options.busyHours ?? shape.busyHours),
    peakFactor: options.peak ?? shape.peakFactor,
    coldShare: options.cold ?? shape.coldShare,
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('a number above 0');
}

function share(text: string): number {
  const value = Number(text);
  if (text !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('a number from 0 to 1');
}
