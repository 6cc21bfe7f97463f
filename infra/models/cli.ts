import { userInfo } from 'node:os';
import { Command, CommanderError, Option } from 'commander';
import { CasaLinguaError, messageOf } from '../../shared/errors.ts';
import { DynamoActiveVersions } from '../../shared/fleet/dynamo-active-versions.ts';
import { createDynamoClient } from '../../shared/fleet/dynamo-client.ts';
import { StoreRefusedError, StoreUnavailableError } from '../../shared/repository/errors.ts';
import { modelKey } from '../../shared/repository/manifest.ts';
import { createS3Client } from '../../shared/repository/s3-object-store.ts';
import { S3PublishingStore } from '../../shared/repository/s3-publishing-store.ts';
import { activate, list, publish, type Repository } from './commands.ts';
import { createProgressBar } from './progress-bar.ts';

/** Exit codes: 1 it won't work as it is, 2 wrong usage, 75 (sysexits' "temporary failure") trying again can help. */
const FAILED = 1;
const USAGE = 2;
const TRY_AGAIN = 75;

/** A person waits for these calls: patience instead of the functions' budget. */
const STORE = { timeoutMs: 5_000, attempts: 5 };

interface CommonOptions {
  readonly bucket: string;
  readonly table: string;
  readonly json?: boolean;
}

// On Node 20 the SDK announces at every start that its support for it will end.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const program = new Command('models')
  .description('Publishes models into the repository and chooses which version is active.')
  .exitOverride();

withCommonOptions(program.command('publish'))
  .description('publish a folder that holds casalingua.json and the model in the Hugging Face ONNX layout')
  .argument('<folder>')
  .option('--activate', 'make it the active version')
  .action(async (folder: string, options: CommonOptions & { activate?: boolean }) => {
    const repository = openRepository(options);
    const bar = createProgressBar();
    const manifest = await publish(repository, folder, bar.update).finally(bar.stop);
    const bytes = manifest.files.reduce((sum, file) => sum + file.size, 0);
    const activation = options.activate
      ? await activate(repository, manifest.id, manifest.version, currentUser())
      : undefined;
    print(
      options,
      {
        id: manifest.id,
        version: manifest.version,
        files: manifest.files.length,
        bytes,
        active: activation !== undefined,
      },
      `${modelKey(manifest)} is published: ${manifest.files.length} files, ${bytes} bytes${activation ? '; it is active' : ''}`,
    );
  });

withCommonOptions(program.command('activate'))
  .description('make a published version the active one')
  .argument('<id>')
  .argument('<version>')
  .action(async (id: string, version: string, options: CommonOptions) => {
    const { record, announced } = await activate(openRepository(options), id, version, currentUser());
    const later = announced ? '' : ' (running instances could not be told and will notice by themselves)';
    print(options, { id, ...record, announced }, `${id}@${record.version} is active${later}`);
  });

withCommonOptions(program.command('list'))
  .description('show every model, its versions and which one is active')
  .action(async (options: CommonOptions) => {
    const models = await list(openRepository(options));
    const lines = models.map(({ id, active, versions }) => {
      const marked = versions.map((version) => (version === active ? `${version} (active)` : version));
      return `${id}: ${marked.join(', ') || 'nothing published as a whole'}`;
    });
    print(options, models, lines.join('\n') || 'the repository is empty');
  });

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = exitCodeOf(thrown);
  if (!(thrown instanceof CommanderError)) {
    console.error(told(thrown));
  }
}

function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--bucket <name>', 'S3 bucket').env('CASALINGUA_MODEL_BUCKET').makeOptionMandatory())
    .addOption(new Option('--table <name>', 'DynamoDB table').env('CASALINGUA_TABLE').makeOptionMandatory())
    .option('--json', 'print JSON');
}

function openRepository({ bucket, table }: CommonOptions): Repository {
  return {
    store: new S3PublishingStore(createS3Client({ attempts: STORE.attempts }), bucket),
    active: new DynamoActiveVersions(createDynamoClient(STORE), table),
  };
}

function print(options: CommonOptions, json: unknown, text: string): void {
  console.log(options.json ? JSON.stringify(json) : text);
}

/** What went wrong, in one line. A person at a terminal may know what a store said, as nobody behind the API may. */
function told(thrown: unknown): string {
  const message = messageOf(thrown);
  const { cause } = thrown instanceof StoreUnavailableError || thrown instanceof StoreRefusedError ? thrown : {};
  if (!(cause instanceof Error)) return message;
  return `${message}: ${cause.message || ('code' in cause ? String(cause.code) : cause.name)}`;
}

/** A container may run under an id that has no name. */
function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) {
    return thrown.exitCode === 0 ? 0 : USAGE;
  }
  return thrown instanceof CasaLinguaError && thrown.retryable ? TRY_AGAIN : FAILED;
}
