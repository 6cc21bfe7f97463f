import { Argument, Command, InvalidArgumentError } from 'commander';
import { benchmarks } from './registry.ts';
import { inWords } from './table.ts';

/** `npm run bench -- NAME`: measures, and prints a table, or with `--json` one JSON object and nothing else. */
// On Node 20 the SDK announces at every start that its support for it will end.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
const names = benchmarks.map(({ name }) => name);
const program: Command = new Command('bench')
  .description('Measures the service against what one would use instead.')
  .addArgument(new Argument('[name]', 'which benchmark').choices(names))
  .option('--list', 'print the names, one a line')
  .option('--json', 'print one JSON object on standard output and nothing else')
  .option('--rounds <n>', 'rounds that medians are taken over', wholeNumber)
  .action(async (name: string | undefined, options: { list?: true; json?: true; rounds?: number }) => {
    if (options.list) {
      console.log(names.join('\n'));
      return;
    }
    const benchmark = benchmarks.find((candidate) => candidate.name === name);
    if (benchmark === undefined) program.error(`say which benchmark: ${names.join(', ')}`);
    const report = await benchmark.run({
      rounds: options.rounds ?? benchmark.defaultRounds,
      onProgress: (line) => console.error(line),
    });
    console.log(options.json ? JSON.stringify({ name: benchmark.name, ...report }) : `\n${inWords(benchmark, report)}`);
  });
await program.parseAsync();

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new InvalidArgumentError('a whole number from 1 to 1000');
}
