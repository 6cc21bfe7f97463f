import { Command, InvalidArgumentError, Option } from 'commander';
import parseDuration from 'parse-duration';
import { allScopes, isScope, type Scope } from '../../shared/config/scopes.ts';
import { createDynamoClient } from '../../shared/fleet/dynamo-client.ts';
import { DynamoKeyStore } from '../../shared/fleet/keys/dynamo-key-store.ts';
import type { KeyStore } from '../../shared/fleet/keys/key-store.ts';
import { systemClock } from '../../shared/repository/clock.ts';
import { currentUser, patientStore, print, runCommand } from '../operator-command.ts';
import { createKey, disable, keyInWords, listKeys, remove, type ShownKey } from './commands.ts';

interface CommonOptions {
  readonly table: string;
  readonly json?: boolean;
}

interface CreateOptions extends CommonOptions {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expires?: number;
  readonly requests?: number;
  readonly characters?: number;
}

const program = new Command('keys')
  .description('Makes API keys and takes them back. Only their hashes are kept.')
  .exitOverride();

withCommonOptions(program.command('create'))
  .description('make a key, and print it this once')
  .requiredOption('--name <name>', 'whose it is; keys of one name share its limits', nameOf)
  .requiredOption('--scopes <list>', `of ${allScopes.join(', ')}, separated by commas`, scopesOf)
  .option('--expires <duration>', 'how long it is good, e.g. 90d; left out: until it is taken back', durationOf)
  .option('--requests <count>', 'a minute; left out: as configured', countOf)
  .option('--characters <count>', 'a minute; left out: as configured', countOf)
  .action(async (options: CreateOptions) => {
    const now = systemClock.now();
    const { name, scopes, expires, requests, characters } = options;
    const limits = {
      ...(requests === undefined ? {} : { requestsPerMinute: requests }),
      ...(characters === undefined ? {} : { charactersPerMinute: characters }),
    };
    const until = expires === undefined ? undefined : now + expires;
    const made = await createKey(openStore(options), { name, scopes, limits, by: currentUser(), until }, now);
    if (!options.json) console.error(`${keyInWords(made.shown)}\nThe key is told only now:`);
    print(options, { key: made.key, ...made.shown }, made.key);
  });

withCommonOptions(program.command('list'))
  .description('show all keys, as far as they are kept')
  .action(async (options: CommonOptions) => {
    const keys = await listKeys(openStore(options), systemClock.now());
    print(options, keys, keys.map(keyInWords).join('\n') || 'there are no keys');
  });

withKey('disable', 'refuse a key; instances that know it hear of it within a minute').action(
  async (which: string, options: CommonOptions) => {
    told(options, await disable(openStore(options), which, true, systemClock.now()), 'is disabled');
  },
);

withKey('enable', 'take a disabled key again').action(async (which: string, options: CommonOptions) => {
  told(options, await disable(openStore(options), which, false, systemClock.now()), 'is enabled');
});

withKey('remove', 'forget a key for good').action(async (which: string, options: CommonOptions) => {
  told(options, await remove(openStore(options), which, systemClock.now()), 'is removed');
});

await runCommand(program);

function withKey(name: string, description: string): Command {
  return withCommonOptions(program.command(name))
    .description(description)
    .argument('<key>', 'its name, or the beginning of its id (see list)');
}

function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--table <name>', 'DynamoDB table').env('CASALINGUA_TABLE').makeOptionMandatory())
    .option('--json', 'print JSON');
}

function openStore({ table }: CommonOptions): KeyStore {
  return new DynamoKeyStore(createDynamoClient(patientStore), table);
}

function told(options: CommonOptions, shown: ShownKey, what: string): void {
  print(options, shown, `${shown.id} ${shown.name} ${what}`);
}

function nameOf(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError(
    'a name has letters, digits, spaces, . _ @ -, 63 at most, and begins with a letter or digit',
  );
}

function scopesOf(text: string): readonly Scope[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every(isScope)) return [...new Set(names)];
  throw new InvalidArgumentError(`of ${allScopes.join(', ')}, separated by commas`);
}

function durationOf(text: string): number {
  const ms = parseDuration(text) ?? 0;
  if (ms > 0) return ms;
  throw new InvalidArgumentError('a duration like 90d or 12h');
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000_000) return count;
  throw new InvalidArgumentError('a whole number from 1');
}
